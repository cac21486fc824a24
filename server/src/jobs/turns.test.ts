import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { testDatabase } from '#test/harness'
import { createJobs, type Jobs } from './create-jobs.ts'
import { defineJob, DELIVERY_PRIORITY } from './definition.ts'
import { migrateJobs } from './migrate-jobs.ts'

const { db, ownerDb, url } = await testDatabase()
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

const DELIVERIES = 300
const CONCURRENCY = 4

let ran: string[] = []
let open: Jobs[] = []

/** Somebody's jobs: many deliveries that nobody takes, a job by the clock, and one that holds the only slot. */
function jobsOf(concurrency: number, hold: Promise<void> = Promise.resolve()): Jobs {
  const job = (name: string, priority: number | undefined, act: () => Promise<void>) =>
    defineJob({
      name,
      payload: z.strictObject({}),
      timeoutSeconds: 20,
      attemptsMax: 11,
      ...(priority === undefined ? {} : { priority }),
      run: async () => {
        ran.push(name)
        await act()
      },
    })
  const jobs = createJobs({
    db,
    databaseUrl: url,
    log: quiet,
    concurrency,
    schedule: [{ job: 'tick', cron: '* * * * *', backfillMinutes: 60 }],
    definitions: [
      job('tick', undefined, async () => {}),
      job('hold', -1, () => hold),
      job('deliver', DELIVERY_PRIORITY, async () => {
        await sleep(100)
        throw new Error('the post office does not answer')
      }),
    ],
  })
  open.push(jobs)
  return jobs
}

const queueDeliveries = (jobs: Jobs) =>
  db.transaction(async (tx) => {
    for (let n = 0; n < DELIVERIES; n += 1) {
      // Due long before the tick is.
      await jobs.enqueue(tx, 'deliver', {}, { runAt: new Date(Date.now() - 3_600_000) })
    }
  })

/** As if the job had last been queued by the clock so many minutes ago, so that the ticks since are made up for. */
const lastTicked = (minutesAgo: number) =>
  ownerDb.query(
    `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
     values ('tick', now() - interval '1 day', date_trunc('minute', now()) - make_interval(mins => $1))`,
    [minutesAgo],
  )

const waitingTick = async () => {
  const { rows } = await ownerDb.query<{ age_minutes: number; revision: number }>(
    `select floor(extract(epoch from now() - run_at) / 60)::integer as age_minutes, revision
       from graphile_worker._private_jobs where key = 'by-the-clock:tick'`,
  )
  return rows[0]
}

beforeAll(() => migrateJobs(url, quiet))

beforeEach(async () => {
  ran = []
  open = []
  await ownerDb.query('truncate graphile_worker._private_jobs, graphile_worker._private_known_crontabs')
})

afterEach(() => Promise.all(open.map((jobs) => jobs.stop(5))))

test('a job by the clock has the next slot, however many deliveries are due and fail', async () => {
  const jobs = jobsOf(CONCURRENCY)
  await queueDeliveries(jobs)
  await lastTicked(2)
  await jobs.start()
  await expect.poll(() => ran, { timeout: 15_000 }).toContain('tick')
  // Each slot had taken a delivery before the tick was queued, and perhaps one more while it was.
  expect(ran.indexOf('tick')).toBeLessThanOrEqual(2 * CONCURRENCY)
})

test('a job that is asked for by hand has the next slot too', async () => {
  const jobs = jobsOf(CONCURRENCY)
  await queueDeliveries(jobs)
  await jobs.start()
  await expect.poll(() => ran.length).toBeGreaterThanOrEqual(CONCURRENCY)
  const before = ran.length
  await db.transaction((tx) => jobs.runNow(tx, 'tick'))
  await expect.poll(() => ran, { timeout: 15_000 }).toContain('tick')
  expect(ran.indexOf('tick') - before).toBeLessThanOrEqual(2 * CONCURRENCY)
})

test('a tick that waits keeps its place when the next ones come, and they are one run', async () => {
  const held = Promise.withResolvers<void>()
  const jobs = jobsOf(1, held.promise)
  await db.transaction((tx) => jobs.enqueue(tx, 'hold', {}))
  await lastTicked(10)
  await jobs.start()
  await expect.poll(async () => (await waitingTick())?.revision).toBeGreaterThanOrEqual(8)
  expect((await waitingTick())?.age_minutes).toBeGreaterThanOrEqual(9)
  held.resolve()
  await expect.poll(() => ran).toContain('tick')
  await expect.poll(waitingTick).toBe(undefined)
  expect(ran.filter((name) => name === 'tick')).toHaveLength(1)
})

test('a tick that was queued for tomorrow, when the clock was ahead, does not wait for tomorrow', async () => {
  const jobs = jobsOf(1)
  await lastTicked(0)
  await ownerDb.query(
    `select from graphile_worker.add_job('tick', '{}', run_at := now() + interval '1 day',
       job_key := 'by-the-clock:tick')`,
  )
  await jobs.start()
  await expect.poll(() => ran).toEqual(['tick'])
})
