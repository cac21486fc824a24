import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigError, loadConfig } from '#config'
import { emptyDatabase, testDatabase } from '#test/harness'
import { expect, test } from 'vitest'
import { start } from './start.ts'

const { ownerDb } = await testDatabase()

/** How many connections a Kantor still holds to this database. */
async function connectionsTo(url: string): Promise<bigint> {
  const { rows } = await ownerDb.query<{ count: bigint }>(
    `select count(*) from pg_stat_activity where datname = $1 and application_name like 'kantor%'`,
    [new URL(url).pathname.slice(1)],
  )
  return rows[0]?.count ?? -1n
}

test('a port that is taken is said in a sentence, and nothing is left that keeps the process alive', async () => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  const url = await emptyDatabase()
  const config = loadConfig({
    DATABASE_URL: url,
    SECRET_KEY: Buffer.alloc(32, 7).toString('base64url'),
    RATES_PROVIDERS: 'simulated',
    PORT: `${port}`,
    LOG_LEVEL: 'error',
  })
  const starting = start({
    config,
    version: '0.0.0',
    webDirectory: '/nowhere',
    clock: () => new Date(),
    random: Math.random,
  })
  const refusal: unknown = await starting.catch((error: unknown) => error)
  other.close()
  expect(refusal).toBeInstanceOf(ConfigError)
  expect(String(refusal)).toContain(`PORT ${port} of 127.0.0.1 is taken`)
  // The server notices that a client has gone a moment after it has.
  for (let tries = 0; tries < 50 && (await connectionsTo(url)) > 0n; tries += 1) await sleep(100)
  expect(await connectionsTo(url)).toBe(0n)
})
