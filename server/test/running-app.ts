import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll } from 'vitest'
import { createMetrics } from '#telemetry'
import { loadConfig } from '#config'
import { createApp, type App } from '#app'
import { prepareDatabase } from '#start'
import { testDatabase, type TestDatabase } from './harness.ts'

// As in production, so that docs/openapi.json says which version it is of.
const { version } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package.json'), 'utf8')) as {
  version: string
}

export interface RunningApp extends App {
  readonly database: TestDatabase
}

/**
 * The whole program, wired as in production, on a database of this test file's own, at the top of the file; or a
 * further replica, on the database of the first. Its jobs are not started.
 */
export async function runningApp(
  environment: Record<string, string> = {},
  replicaOf?: RunningApp,
): Promise<RunningApp> {
  const database = replicaOf?.database ?? (await testDatabase())
  const log = pino({ level: 'silent' })
  await prepareDatabase(database.url, log, Math.random)
  const app = await createApp({
    config: loadConfig({
      DATABASE_URL: database.url,
      SECRET_KEY: randomBytes(32).toString('base64url'),
      RATES_PROVIDERS: 'simulated',
      WELCOME_GRANT: 'EUR:10000,USD:5000',
      RATE_LIMITS: 'off',
      ...environment,
    }),
    databaseUrl: database.url,
    version,
    webDirectory: null,
    log,
    metrics: createMetrics(),
    clock: () => new Date(),
    random: Math.random,
  })
  await app.http.ready()
  afterAll(async () => {
    await app.http.close()
    await app.close()
  })
  return { ...app, database }
}
