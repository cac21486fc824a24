import { execFile } from 'node:child_process'
import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ApiError, createClient } from '@kantor/client'
import type { Client } from '@kantor/client'
import { afterAll, expect, test } from 'vitest'
import { loadConfig } from '#config'
import { start } from '#start'
import { emptyDatabase } from './harness.ts'

const ROOT = join(import.meta.dirname, '../..')

const running = await start({
  config: loadConfig({
    DATABASE_URL: await emptyDatabase(),
    SECRET_KEY: randomBytes(32).toString('base64url'),
    RATES_PROVIDERS: 'simulated',
    WELCOME_GRANT: 'EUR:10000',
    RATE_LIMITS: 'off',
    PORT: '0',
    LOG_LEVEL: 'error',
  }),
  version: '0.0.0',
  webDirectory: '/nowhere',
  clock: () => new Date(),
  random: Math.random,
})
if (running === null) throw new Error('it did not start')
afterAll(() => running.stop())
const { address } = running

/** Signs up and gives an API key that may do everything. */
async function newKey(handle: string): Promise<string> {
  const post = async (path: string, cookie: string, body: object) => {
    const answer = await fetch(`${address}/api/v1${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: address, cookie },
      body: JSON.stringify(body),
    })
    expect(answer.status).toBe(201)
    return answer
  }
  const signedUp = await post('/auth/sign-up', '', {
    email: `${handle}@example.com`,
    password: 'kobyla ma maly bok 77',
    name: 'Anna Nowak',
    handle,
    baseCurrency: 'EUR',
    currencies: ['EUR', 'PLN'],
  })
  const cookie = signedUp.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const made = await post('/me/api-keys', cookie, { name: 'all', scopes: ['read', 'trade', 'transfer'] })
  return ((await made.json()) as { key: string }).key
}

const [ania, edek] = [await newKey('ania'), await newKey('edek')]
const clientOf = (apiKey: string): Client => createClient({ baseUrl: address, apiKey })

test('the example of the README does what it says, word for word', async () => {
  const readme = await readFile(join(ROOT, 'client/README.md'), 'utf8')
  const block = (language: string) => readme.split(`\`\`\`${language}\n`)[1]?.split('```')[0] ?? ''
  const example = block('js').replace('http://127.0.0.1:8080', address).replace('kantor_…', ania)
  const quoted = () => clientOf(ania).get('/rates', { query: { base: 'EUR' } })
  await expect.poll(async () => (await quoted()).items.length).toBeGreaterThan(0)

  // Beside the packages, so that the package is found by its name; plain Node, as a reader would run it.
  const folder = join(ROOT, 'node_modules/.cache/kantor')
  const file = join(folder, `readme-${randomUUID()}.mjs`)
  await mkdir(folder, { recursive: true })
  await writeFile(file, example)
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 120_000 })
    expect(stdout).toBe(block('text'))
  } finally {
    await rm(file)
  }
})

test('the package as it is published has its types and runs as plain JavaScript', async () => {
  const cache = join(ROOT, 'node_modules/.cache/kantor')
  const home = join(cache, `published-${randomUUID()}`)
  const run = async (...args: string[]) =>
    promisify(execFile)(process.execPath, args, { cwd: ROOT, timeout: 120_000 }).catch((error: unknown) => ({
      stdout: String(error),
    }))
  const script = `import { buildClient } from './scripts/build-client.mjs'
    await buildClient(${JSON.stringify(join(home, 'node_modules/@kantor/client'))}, process.env)`
  try {
    await run('--input-type=module', '-e', script)
    const uses = `import { createClient } from '@kantor/client'
      const kantor = createClient({ baseUrl: '${address}', apiKey: '${ania}' })
      const { baseCurrency } = await kantor.get('/wallet')
      console.log(baseCurrency)`
    const wrong = `${uses}\nawait kantor.get('/wallets')\nexport const number: number = baseCurrency\n`
    await writeFile(join(home, 'right.mjs'), uses)
    await writeFile(join(home, 'right.mts'), `${uses}\nexport const text: string = baseCurrency\n`)
    await writeFile(join(home, 'wrong.mts'), wrong)
    const types = [
      '--noEmit',
      '--strict',
      '--target',
      'es2024',
      '--module',
      'nodenext',
      '--skipLibCheck',
      'false',
    ]
    const compile = (file: string) => run('node_modules/typescript/bin/tsc', ...types, join(home, file))
    expect((await run(join(home, 'right.mjs'))).stdout).toBe('EUR\n')
    expect((await compile('right.mts')).stdout).toBe('')
    expect((await compile('wrong.mts')).stdout).toContain('Command failed')
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('what is asked for once happens once, though every first answer is lost', async () => {
  const lost = new Set<string>()
  const kantor = createClient({
    baseUrl: address,
    apiKey: edek,
    fetch: async (request) => {
      const key = request.headers.get('idempotency-key') ?? request.url
      const answer = await fetch(request)
      if (lost.has(key)) return answer
      lost.add(key)
      await answer.arrayBuffer()
      throw new TypeError('the answer was lost')
    },
  })
  const body = { to: '@ania', asset: 'EUR', amount: '7.00' }
  const [first, second] = [
    await kantor.post('/transfers', { body }),
    await kantor.post('/transfers', { body }),
  ]
  expect(first.id).not.toBe(second.id)
  const ids: string[] = []
  for await (const operation of clientOf(edek).operations({ kind: 'transfer', limit: 1 })) {
    if (operation.amounts.some(({ amount }) => amount === '-7.00')) ids.push(operation.id)
  }
  expect(ids.toSorted()).toEqual([first.id, second.id].toSorted())
})

test('a program that was away goes on in the stream where it was', async () => {
  const kantor = clientOf(ania)
  const watch = async (after?: string) => {
    for await (const event of kantor.stream({}, after === undefined ? {} : { after })) {
      if (event.event === 'operation') return { data: event.data, id: event.id ?? '' }
      if (after === undefined && event.event === 'hello')
        await kantor.post('/transfers', { body: { to: '@edek', asset: 'EUR', amount: '1.00' } })
    }
    throw new Error('the stream ended by itself')
  }
  const before = await watch()
  const missed = await kantor.post('/transfers', { body: { to: '@edek', asset: 'EUR', amount: '2.00' } })
  expect((await watch(before.id)).data.id).toBe(missed.id)
})

test('a key that nobody has is refused by its code, in the stream too', async () => {
  const stranger = createClient({ baseUrl: address, apiKey: `kantor_${'0'.repeat(12)}_${'A'.repeat(43)}` })
  const refusal = await stranger.get('/wallet').catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(ApiError)
  expect(refusal).toMatchObject({ code: 'not_authenticated', status: 401 })
  await expect(stranger.stream().next()).rejects.toMatchObject({ code: 'not_authenticated' })
})
