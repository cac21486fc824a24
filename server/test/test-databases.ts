import { randomBytes } from 'node:crypto'
import { openDatabase } from '#db'

export const TEST_PREFIX = 'kantor_test_'
const DROPS_AT_ONCE = 4

/** Says when the run began, so that what a killed one leaves behind is found by its age. */
export function newRunPrefix(): string {
  return `${TEST_PREFIX}${Date.now()}_${randomBytes(4).toString('hex')}_`
}

/** Several at once, since each waits for a checkpoint, which they share. */
export async function dropDatabasesOf(runPrefix: string, serverUrl: string): Promise<void> {
  const server = openDatabase({
    url: serverUrl,
    connectionsMax: DROPS_AT_ONCE,
    applicationName: 'test-owner',
    role: null,
    random: Math.random,
    statementTimeoutMs: 240_000,
  })
  const { rows } = await server.query<{ name: string }>(
    'select datname as name from pg_database where datname ^@ $1',
    [runPrefix],
  )
  const dropNext = async (): Promise<void> => {
    const next = rows.pop()
    if (next === undefined) return
    await server.query(`drop database if exists ${next.name} with (force)`)
    return dropNext()
  }
  await Promise.all(Array.from({ length: DROPS_AT_ONCE }, dropNext))
  await server.close()
}
