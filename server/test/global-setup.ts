import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { startEmbedded } from '#db'
import { dropDatabasesOf, newRunPrefix } from './test-databases.ts'

const PREFIX = 'kantor-test-postgres-'
const LEFTOVER_AGE_MS = 24 * 60 * 60_000

/** One PostgreSQL for the whole run: the machine's when it is named, else the embedded one in a new directory. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const runPrefix = newRunPrefix()
  project.provide('runPrefix', runPrefix)
  const given = process.env['KANTOR_TEST_DATABASE_URL']
  if (given !== undefined && given !== '') {
    project.provide('serverUrl', given)
    return () => dropDatabasesOf(runPrefix, given)
  }
  await removeLeftovers()
  const dataDir = await mkdtemp(join(tmpdir(), PREFIX))
  const server = await startEmbedded({ dataDir, log: { info: () => {}, warn: console.warn } }).catch(
    async (error: unknown) => {
      await rm(dataDir, { recursive: true, force: true })
      throw error
    },
  )
  project.provide('serverUrl', server.url)
  return async () => {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

/** Of runs that were killed. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue
    const path = join(tmpdir(), name)
    // Another run may be ending just now.
    const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Infinity }))
    if (mtimeMs < Date.now() - LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true })
  }
}
