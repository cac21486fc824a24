import { randomBytes } from 'node:crypto'
import { pino } from 'pino'
import { afterAll } from 'vitest'
import { createMetrics } from '#telemetry'
import { loadConfig } from '#config'
import { createApp, type App } from '#app'
import { prepareDatabase } from '#start'
import { testDatabase, type TestDatabase } from './harness.ts'

export interface RunningApp extends App {
  readonly database: TestDatabase
}

/**
 * The whole program, wired as in production, on a database of this test file's own, at the top of the file. Its
 * jobs are not started.
 */
export async function runningApp(environment: Record<string, string> = {}): Promise<RunningApp> {
  const database = await testDatabase()
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
    version: '0.0.0',
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
