import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { openDatabase } from '#db'
import { testDatabase } from '#test/harness'
import { createJobs, type Jobs, type JobsDeps } from './create-jobs.ts'
import { defineJob, type AnyJob, type JobRun, type ScheduleEntry } from './definition.ts'
import { migrateJobs } from './migrate-jobs.ts'

const { db, ownerDb, url } = await testDatabase()
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

let ran: { job: string; payload: unknown; attempt: number }[] = []
let open: Jobs[] = []

/** A job that notes that it ran, and then does as it is told. */
function noting(
  name: string,
  act: (run: JobRun) => Promise<void> | void = () => {},
  more: Partial<AnyJob> = {},
): AnyJob {
  const job = defineJob({
    name,
    payload: z.strictObject({ n: z.number().optional() }),
    timeoutSeconds: 5,
    attemptsMax: 3,
    run: async (payload, run) => {
      ran.push({ job: name, payload, attempt: run.attempt })
      await act(run)
    },
  })
  return { ...job, ...more }
}

function jobsOf(definitions: AnyJob[], schedule: ScheduleEntry[] = [], more: Partial<JobsDeps> = {}): Jobs {
  const jobs = createJobs({ db, databaseUrl: url, log: quiet, definitions, schedule, ...more })
  open.push(jobs)
  return jobs
}

const enqueue = (jobs: Jobs, name: string, payload: unknown = {}, options = {}) =>
  db.transaction((tx) => jobs.enqueue(tx, name, payload, options))
/** As if the time of the next try had come. */
const hurry = async () => {
  await ownerDb.query('update graphile_worker._private_jobs set run_at = now() where locked_at is null')
  await ownerDb.query(`select pg_notify('jobs:insert', '{"count":1}')`)
}
const statusOf = async (jobs: Jobs, job: string) =>
  (await jobs.statuses(db, new Date())).find((status) => status.job === job)

/** Which lives of runners there are: the next one of a process has another name. */
const runnersNow = async () => {
  const { rows } = await ownerDb.query<{ pool_id: string }>('select pool_id from jobs.runners')
  return rows.map((row) => row.pool_id)
}

beforeAll(async () => {
  await migrateJobs(url, quiet)
})

beforeEach(async () => {
  ran = []
  open = []
  await ownerDb.query(
    'truncate graphile_worker._private_jobs, graphile_worker._private_known_crontabs, jobs.runs, jobs.runners',
  )
})

afterEach(async () => {
  await Promise.all(open.map((jobs) => jobs.stop(5)))
})

test('the queue can be migrated again, and by several at once', async () => {
  await Promise.all([migrateJobs(url, quiet), migrateJobs(url, quiet), migrateJobs(url, quiet)])
})

test('a job exists exactly if the transaction that queued it commits', async () => {
  const jobs = jobsOf([noting('note')])
  await enqueue(jobs, 'note', { n: 1 })
  const broken = db.transaction(async (tx) => {
    await jobs.enqueue(tx, 'note', { n: 2 })
    throw new Error('changed my mind')
  })
  await expect(broken).rejects.toThrow('changed my mind')
  await jobs.start()
  await expect.poll(() => ran).toEqual([{ job: 'note', payload: { n: 1 }, attempt: 1 }])
  await sleep(100)
  expect(ran).toHaveLength(1)
})

test('a name that no job has is our mistake, found at once', async () => {
  const jobs = jobsOf([noting('note')])
  await expect(enqueue(jobs, 'noet')).rejects.toThrow('no job is named noet')
  expect(() => jobsOf([noting('a'), noting('a')])).toThrow('same name')
  expect(() => jobsOf([], [{ job: 'b', cron: '* * * * *', backfillMinutes: 0 }])).toThrow('not defined')
})

test('a job with the same key replaces the one that waits', async () => {
  const jobs = jobsOf([noting('note')])
  for (const n of [1, 2, 3]) await enqueue(jobs, 'note', { n }, { key: 'once' })
  await jobs.start()
  await expect.poll(() => ran).toHaveLength(1)
  expect(ran[0]?.payload).toEqual({ n: 3 })
})

test('a job of the future waits for it', async () => {
  const jobs = jobsOf([noting('note')])
  await enqueue(jobs, 'note', {}, { runAt: new Date(Date.now() + 3600_000) })
  await jobs.start()
  await sleep(150)
  expect(ran).toEqual([])
  expect(await statusOf(jobs, 'note')).toMatchObject({ waiting: 1n, runs: 0n })
})

test('a hundred jobs under two runners run once each', async () => {
  const first = jobsOf([noting('note', () => sleep(2))])
  const second = jobsOf([noting('note', () => sleep(2))])
  for (let n = 0; n < 100; n += 1) await enqueue(first, 'note', { n })
  await Promise.all([first.start(), second.start()])
  await expect.poll(() => ran.length).toBe(100)
  await sleep(100)
  expect(new Set(ran.map(({ payload }) => JSON.stringify(payload))).size).toBe(100)
  expect(await statusOf(first, 'note')).toMatchObject({ runs: 100n, failures: 0n, waiting: 0n })
})

describe('a job that fails', () => {
  const breaks = noting('breaks', () => {
    throw new Error('no luck')
  })
  const failures = async (jobs: Jobs) => {
    await hurry()
    return (await statusOf(jobs, 'breaks'))?.failures
  }

  test('is tried as often as it may, then given up, and shown', async () => {
    const jobs = jobsOf([breaks])
    await enqueue(jobs, 'breaks', { n: 7 })
    await jobs.start()
    await expect.poll(() => failures(jobs)).toBe(3n)
    await hurry()
    await sleep(200)
    expect(ran.map(({ attempt }) => attempt)).toEqual([1, 2, 3])
    expect(await statusOf(jobs, 'breaks')).toMatchObject({
      runs: 3n,
      failures: 3n,
      waiting: 0n,
      givenUp: 1n,
      lastError: 'no luck',
      lastSuccessAt: null,
    })
    expect(await jobs.failed(db)).toMatchObject([
      { job: 'breaks', attempts: 3, attemptsMax: 3, lastError: 'no luck' },
    ])
  })

  test('waits longer from try to try: e seconds, then e²', async () => {
    // Written down as they are decided: on a busy machine the next try may come before we look.
    await ownerDb.query(`
      create table waits (attempts integer not null, seconds float not null);
      create function note_wait() returns trigger language plpgsql security definer as $$
      begin
        insert into waits values (new.attempts, extract(epoch from new.run_at - now()));
        return null;
      end $$;
      create trigger note_wait after update on graphile_worker._private_jobs for each row
        when (new.last_error is not null and new.run_at > now()) execute function note_wait()`)
    const jobs = jobsOf([breaks])
    await enqueue(jobs, 'breaks')
    await jobs.start()
    await expect.poll(() => failures(jobs)).toBe(3n)
    const { rows } = await ownerDb.query<{ seconds: number }>('select seconds from waits order by attempts')
    const [first = 0, second = 0] = rows.map(({ seconds }) => seconds)
    expect(first).toBeCloseTo(Math.E, 3)
    expect(second).toBeCloseTo(Math.E ** 2, 3)
  })

  test('can be run again by hand, with all of its tries', async () => {
    let broken = true
    const jobs = jobsOf([
      noting('breaks', () => {
        if (broken) throw new Error('no luck')
      }),
    ])
    await enqueue(jobs, 'breaks')
    await jobs.start()
    await expect.poll(() => failures(jobs)).toBe(3n)
    await expect.poll(async () => (await statusOf(jobs, 'breaks'))?.givenUp).toBe(1n)
    broken = false
    const [failed] = await jobs.failed(db)
    expect(await jobs.retry(db, failed?.id ?? '')).toBe(true)
    await expect.poll(async () => (await statusOf(jobs, 'breaks'))?.lastSuccessAt).toBeTruthy()
    expect(ran.at(-1)?.attempt).toBe(1)
    await expect.poll(() => jobs.failed(db)).toEqual([])
    expect(await jobs.retry(db, failed?.id ?? '')).toBe(false)
    expect(await jobs.retry(db, '1; drop table x')).toBe(false)
  })

  test('because its process ended at its last try is listed too, and can be run again', async () => {
    const jobs = jobsOf([noting('works')])
    await enqueue(jobs, 'works')
    await ownerDb.query('update graphile_worker._private_jobs set attempts = max_attempts')
    const [failed] = await jobs.failed(db)
    expect(failed).toMatchObject({ job: 'works', lastError: 'The process that ran it ended.' })
    expect(await jobs.retry(db, failed?.id ?? '')).toBe(true)
    await jobs.start()
    await expect.poll(() => ran).toHaveLength(1)
  })

  test('does not stop the others', async () => {
    const jobs = jobsOf([breaks, noting('works')], [], { concurrency: 1 })
    for (let n = 0; n < 5; n += 1) {
      await enqueue(jobs, 'breaks', { n })
      await enqueue(jobs, 'works', { n })
    }
    await jobs.start()
    await expect.poll(async () => (await statusOf(jobs, 'works'))?.runs).toBe(5n)
  })

  test('because its payload is of another shape is a failure like any', async () => {
    const jobs = jobsOf([noting('note')])
    await enqueue(jobs, 'note', { n: 'one' })
    await jobs.start()
    await expect.poll(async () => (await statusOf(jobs, 'note'))?.failures).toBe(1n)
    expect(ran).toEqual([])
  })

  test('because it never ends is given up at its deadline, and told so by its signal', async () => {
    let told = false
    const stuck = noting('stuck', ({ signal }) => {
      signal.addEventListener('abort', () => (told = true))
      return new Promise<void>(() => {})
    })
    const jobs = jobsOf([{ ...stuck, timeoutSeconds: 0.1 }, noting('works')], [], { concurrency: 1 })
    await enqueue(jobs, 'stuck')
    await enqueue(jobs, 'works')
    await jobs.start()
    await expect.poll(() => ran.map(({ job }) => job)).toContain('works')
    expect(ran[0]?.job).toBe('stuck')
    expect(told).toBe(true)
    expect(await statusOf(jobs, 'stuck')).toMatchObject({ lastError: 'not done within 0.1 seconds' })
  })
})

describe('the clock', () => {
  const hourly: ScheduleEntry = { job: 'tick', cron: '* * * * *', backfillMinutes: 30 }
  /** As if the schedule had last run these minutes ago, and nothing since. */
  const lastTick = (minutesAgo: number) =>
    ownerDb.query<{ last_execution: Date }>(
      `insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
       values ('tick', now() - interval '1 day', date_trunc('minute', now() - make_interval(mins => $1)))
       returning last_execution`,
      [minutesAgo],
    )

  test('makes up for ticks that were missed, once, under two runners', async () => {
    const { rows: ticked } = await lastTick(10)
    const last = ticked[0]?.last_execution
    const both = [jobsOf([noting('tick')], [hourly]), jobsOf([noting('tick')], [hourly])]
    await Promise.all(both.map((jobs) => jobs.start()))
    await expect.poll(() => ran.length).toBeGreaterThan(0)
    const madeUp = async () => {
      const { rows } = await ownerDb.query<{ since: number; ticks: number }>(
        `select extract(epoch from now() - last_execution)::int as since,
                extract(epoch from last_execution - $1)::int / 60 as ticks
           from graphile_worker._private_known_crontabs`,
        [last],
      )
      return rows[0] ?? { since: Infinity, ticks: 0 }
    }
    await expect.poll(async () => (await madeUp()).since).toBeLessThan(120)
    // Ten ticks of one job that has not run yet are one piece of work; two if it began in between.
    await Promise.all(both.map((jobs) => jobs.stop(5)))
    expect(ran.length).toBeLessThanOrEqual((await madeUp()).ticks)
    expect(ran.every(({ payload }) => JSON.stringify(payload) === '{}')).toBe(true)
  })

  test('lets ticks go that are older than the backfill', async () => {
    await lastTick(600)
    const missed = new Date(Date.now() - 5 * 3_600_000)
    const cron = `${missed.getUTCMinutes()} ${missed.getUTCHours()} * * *`
    const jobs = jobsOf([noting('tick'), noting('after')], [{ ...hourly, cron }])
    await jobs.start()
    await enqueue(jobs, 'after')
    await expect.poll(() => ran.map(({ job }) => job)).toEqual(['after'])
  })

  test('starts what is wanted at the start, once for all processes that start together', async () => {
    const entry = { ...hourly, cron: '0 0 1 1 *', atStart: true }
    const both = [jobsOf([noting('tick')], [entry]), jobsOf([noting('tick')], [entry])]
    for (const jobs of both) await jobs.start()
    await expect.poll(() => ran.length).toBeGreaterThan(0)
    expect(ran.length).toBeLessThanOrEqual(2)
    expect((await both[0]?.statuses(db, new Date('2026-11-22T16:00:00Z')))?.[0]).toMatchObject({
      job: 'tick',
      schedule: { cron: '0 0 1 1 *', backfillMinutes: 30, nextTickAt: new Date('2027-01-01T00:00:00Z') },
    })
  })

  test('is not kept still by ticks of a time to come, when it was ahead and is set right', async () => {
    await lastTick(-1440)
    const jobs = jobsOf([noting('tick')], [hourly])
    await jobs.start()
    const { rows } = await ownerDb.query<{ ahead: boolean }>(
      'select last_execution > now() as ahead from graphile_worker._private_known_crontabs',
    )
    expect(rows).toEqual([{ ahead: false }])
  })

  test.each([-86_400_000, 3_600_000])('set by %i ms while jobs run is reckoned from anew', async (jumpMs) => {
    let shiftMs = 0
    const warned: string[] = []
    const jobs = jobsOf(
      [noting('note')],
      [hourly].map((entry) => ({ ...entry, job: 'note' })),
      {
        wallClock: { nowMs: () => Date.now() + shiftMs, everyMs: 20 },
        log: { ...quiet, warn: (_fields, message) => void warned.push(message) },
      },
    )
    await jobs.start()
    const before = await runnersNow()
    shiftMs = jumpMs
    await expect.poll(runnersNow).not.toEqual(before)
    await enqueue(jobs, 'note', { n: 1 })
    await expect.poll(() => ran.map(({ payload }) => payload)).toContainEqual({ n: 1 })
    expect(warned.filter((message) => message.includes('clock was set'))).toHaveLength(1)
  })

  test('runs what is asked for by hand out of turn, once however often it is asked while it waits', async () => {
    const jobs = jobsOf([noting('tick'), noting('other')], [{ ...hourly, cron: '0 0 1 1 *' }])
    const asked = await db.transaction((tx) =>
      Promise.all(['tick', 'tick', 'other', 'none'].map((name) => jobs.runNow(tx, name))),
    )
    expect(asked).toEqual([true, true, false, false])
    await jobs.start()
    await expect.poll(() => ran.map(({ job }) => job)).toEqual(['tick'])
  })
})

describe('stopping', () => {
  test('waits for the job that runs', async () => {
    let done = false
    const jobs = jobsOf([
      noting('slow', async () => {
        await sleep(400)
        done = true
      }),
    ])
    await enqueue(jobs, 'slow')
    await jobs.start()
    await expect.poll(() => ran).toHaveLength(1)
    await jobs.stop()
    expect(done).toBe(true)
    expect(await jobs.failed(db)).toEqual([])
    expect((await db.query('select from jobs.runners')).rowCount).toBe(0)
  })

  test('tells what waits for an answer that nobody waits for it any more, before it is cut off', async () => {
    const jobs = jobsOf([
      noting('listens', async ({ signal }) => {
        await once(signal, 'abort')
        throw new Error('was told')
      }),
    ])
    await enqueue(jobs, 'listens')
    await jobs.start()
    await expect.poll(() => ran).toHaveLength(1)
    await jobs.stop(4)
    expect(await jobs.failed(db)).toMatchObject([{ lastError: 'was told' }])
  })

  test('does not wait for ever: what is cut off is given back to be run again', async () => {
    const endless = noting('endless', () => new Promise<void>(() => {}), { timeoutSeconds: 3_600 })
    const jobs = jobsOf([endless])
    await enqueue(jobs, 'endless')
    await jobs.start()
    await expect.poll(() => ran).toHaveLength(1)
    await jobs.stop(0.2)
    const { rows } = await ownerDb.query<{ locked: boolean }>(
      'select locked_at is not null as locked from graphile_worker._private_jobs',
    )
    expect(rows).toEqual([{ locked: false }])
  })
})

describe('what a process that was killed had locked', () => {
  test.each([
    ['is taken over when its lease has run out', true],
    ['is taken over too if it never said that it lived', false],
  ])('%s', async (_name, hasLease) => {
    const jobs = jobsOf([noting('note')], [], { leaseSeconds: 2 })
    await enqueue(jobs, 'note')
    const { rows } = await ownerDb.query<{ locked_at: Date }>(
      `update graphile_worker._private_jobs set locked_by = 'dead', locked_at = now(), attempts = 1
       returning locked_at`,
    )
    if (hasLease) await ownerDb.query(`insert into jobs.runners (pool_id, host) values ('dead', 'gone')`)
    await jobs.start()
    await expect.poll(() => ran.length).toBe(1)
    expect(Date.now() - (rows[0]?.locked_at.getTime() ?? 0)).toBeGreaterThanOrEqual(2_000)
  })

  test('stays with it while it says that it lives, however long the job takes', async () => {
    const { promise: done, resolve: end } = Promise.withResolvers<void>()
    const slow = noting('slow', () => done, { timeoutSeconds: 3_600 })
    const first = jobsOf([slow], [], { leaseSeconds: 24 })
    const second = jobsOf([noting('slow')], [], { leaseSeconds: 24 })
    await enqueue(first, 'slow')
    await first.start()
    await expect.poll(() => ran).toHaveLength(1)
    await ownerDb.query(`update graphile_worker._private_jobs set locked_at = now() - interval '1 hour'`)
    // Silent for an hour it would be dead; what it says of itself next makes up for that.
    await ownerDb.query(`update jobs.runners set seen_at = now() - interval '1 hour'`)
    const heard = async () =>
      (await ownerDb.query(`select from jobs.runners where seen_at > now() - interval '1 minute'`)).rowCount
    await expect.poll(heard).toBe(1)
    const held = async () =>
      (await ownerDb.query('select locked_by, locked_at from graphile_worker._private_jobs')).rows
    const before = await held()
    // It looks for the dead before it has started.
    await second.start()
    expect(await held()).toEqual(before)
    expect(ran).toHaveLength(1)
    end()
  })
})

test.each([0, 5, 20, 200])('a runner whose connections are cut %i ms after its start goes on', async (ms) => {
  const jobs = jobsOf([noting('note')], [], { deafMs: 3000 })
  await jobs.start()
  await sleep(ms)
  await ownerDb.query(
    `select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'kantor-jobs' and datname = current_database()`,
  )
  await enqueue(jobs, 'note')
  await expect.poll(() => ran.length).toBe(1)
})

test('the queue is run by kantor_app, which owns none of it', async () => {
  const jobs = jobsOf([noting('note')])
  await jobs.start()
  const app = openDatabase({ url, connectionsMax: 1, applicationName: 'test-app', random: Math.random })
  await expect(app.query('drop table graphile_worker._private_jobs')).rejects.toThrow('must be owner')
  await expect(
    app.query('alter table graphile_worker._private_jobs disable row level security'),
  ).rejects.toThrow('must be owner')
  await app.close()
})
