import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { testDatabase } from '#test/harness'
import { createJobs } from './create-jobs.ts'
import { defineJob } from './definition.ts'
import { migrateJobs } from './migrate-jobs.ts'

const { db, ownerDb, url } = await testDatabase()
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
await migrateJobs(url, quiet)

/** Every tick that is queued, also one that replaces its predecessor before that has run. */
await ownerDb.query(`
  create table ticks (at timestamptz not null);
  create function note_tick() returns trigger language plpgsql security definer as $$
  begin
    insert into ticks select (new.payload->'_cron'->>'ts')::timestamptz where new.payload->'_cron' is not null;
    return null;
  end $$;
  create trigger note_tick after insert or update of payload on graphile_worker._private_jobs
    for each row execute function note_tick();
  insert into graphile_worker._private_known_crontabs (identifier, known_since, last_execution)
    values ('tick', now() - interval '1 day', date_trunc('minute', now()) - interval '10 minutes');`)

let runs = 0
const workers = Array.from({ length: 3 }, () =>
  createJobs({
    db,
    databaseUrl: url,
    log: quiet,
    schedule: [{ job: 'tick', cron: '* * * * *', backfillMinutes: 60 }],
    definitions: [
      defineJob({
        name: 'tick',
        payload: z.strictObject({}),
        timeoutSeconds: 5,
        attemptsMax: 1,
        run: async () => {
          runs += 1
        },
      }),
    ],
  }),
)
afterAll(() => Promise.all(workers.map((jobs) => jobs.stop(5))))

test('no tick that was missed is queued twice by three workers that start together, and the job runs', async () => {
  await Promise.all(workers.map((jobs) => jobs.start()))
  const isDone = async () => {
    const { rows } = await ownerDb.query<{ done: boolean }>(
      `select last_execution >= date_trunc('minute', now())
         and not exists (select from graphile_worker._private_jobs) as done
       from graphile_worker._private_known_crontabs`,
    )
    return rows[0]?.done
  }
  await expect.poll(isDone).toBe(true)
  // The slowest of the three may still be at it; nothing that it does may show.
  await Promise.all(workers.map((jobs) => jobs.stop(5)))
  const { rows } = await ownerDb.query<{ ticks: number; minutes: number }>(
    'select count(*)::integer as ticks, count(distinct at)::integer as minutes from ticks',
  )
  const { ticks, minutes } = rows[0] ?? { ticks: 0, minutes: 0 }
  expect(ticks).toBe(minutes)
  // A tick that falls on the moment in which the one before it begins to run is the same piece of work.
  expect(ticks).toBeGreaterThan(0)
  expect(runs).toBeGreaterThan(0)
  expect(runs).toBeLessThanOrEqual(ticks)
})
