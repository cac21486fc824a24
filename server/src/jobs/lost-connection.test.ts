import { afterAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { faultProxy } from '#test/fault-proxy'
import { testDatabase } from '#test/harness'
import { createJobs } from './create-jobs.ts'
import { defineJob } from './definition.ts'
import { migrateJobs } from './migrate-jobs.ts'

const { db, ownerDb, url } = await testDatabase()
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
await migrateJobs(url, quiet)

const unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)
process.on('unhandledRejection', note)
afterAll(() => void process.off('unhandledRejection', note))
beforeEach(() => {
  unhandled.length = 0
})

/** Ends the connection with which the queue waits for this row, which is the one that writes down what became of it. */
async function cutWhoWaits(): Promise<number> {
  const { rowCount } = await ownerDb.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'kantor-jobs' and datname = current_database() and wait_event_type = 'Lock'`,
  )
  return rowCount ?? 0
}

const left = async () => (await ownerDb.query('select from graphile_worker._private_jobs')).rowCount

test.each([
  ['fails', 2],
  ['succeeds', 1],
])(
  'that a job %s is written down though the connection is cut meanwhile: it runs %i times in all',
  async (how, runsInAll) => {
    let runs = 0
    const held = await ownerDb.connect()
    const jobs = createJobs({
      db,
      databaseUrl: url,
      log: quiet,
      schedule: [],
      definitions: [
        defineJob({
          name: how,
          payload: z.strictObject({}),
          timeoutSeconds: 5,
          attemptsMax: 3,
          run: async () => {
            runs += 1
            if (runs > 1) return
            await held.query('begin')
            await held.query('select from graphile_worker._private_jobs for update')
            if (how === 'fails') throw new Error('no luck')
          },
        }),
      ],
    })
    await db.transaction((tx) => jobs.enqueue(tx, how, {}))
    await jobs.start()
    await expect.poll(cutWhoWaits).toBeGreaterThan(0)
    await held.query('rollback')
    held.release()
    await expect.poll(left).toBe(0)
    await jobs.stop(5)
    expect(runs).toBe(runsInAll)
    // The library lets go of this promise, so nobody else would hear of its failure.
    expect(unhandled).toEqual([])
  },
)

test('a runner is stopped though its database is away, and what it had is left to its lease', async () => {
  const proxy = await faultProxy(url)
  const [begun, told] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const jobs = createJobs({
    db,
    databaseUrl: proxy.url,
    log: quiet,
    schedule: [],
    definitions: [
      defineJob({
        name: 'waits',
        payload: z.strictObject({}),
        timeoutSeconds: 60,
        attemptsMax: 3,
        run: async () => {
          begun.resolve()
          await told.promise
        },
      }),
    ],
  })
  await db.transaction((tx) => jobs.enqueue(tx, 'waits', {}))
  await jobs.start()
  await begun.promise
  proxy.away()
  told.resolve()
  await jobs.stop(0.2)
  expect(await left()).toBe(1)
  expect((await db.query('select from jobs.runners')).rowCount).toBe(1)
  await proxy.close()
})
