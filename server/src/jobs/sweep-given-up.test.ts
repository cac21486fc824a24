import { expect, test } from 'vitest'
import { z } from 'zod'
import { testDatabase } from '#test/harness'
import { createJobs } from './create-jobs.ts'
import { defineJob } from './definition.ts'
import { migrateJobs } from './migrate-jobs.ts'
import { sweepGivenUp } from './sweep-given-up.ts'

const { db, ownerDb, url } = await testDatabase()
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
await migrateJobs(url, quiet)

const jobs = createJobs({
  db,
  databaseUrl: url,
  log: quiet,
  schedule: [],
  definitions: [
    defineJob({
      name: 'letter',
      payload: z.strictObject({}),
      timeoutSeconds: 5,
      attemptsMax: 3,
      run: async () => {},
    }),
  ],
})

test('a job that was given up is kept for 30 days; what waits or runs is never deleted', async () => {
  const rows = [
    { key: 'given up long ago', days: 31, attempts: 3, locked: false },
    { key: 'its process died at its last try', days: 31, attempts: 3, locked: false },
    { key: 'given up lately', days: 29, attempts: 3, locked: false },
    { key: 'waits for its next try', days: 31, attempts: 2, locked: false },
    { key: 'runs for the last time', days: 31, attempts: 3, locked: true },
  ]
  for (const { key, days, attempts, locked } of rows) {
    await db.transaction((tx) => jobs.enqueue(tx, 'letter', {}, { key }))
    await ownerDb.query(
      `update graphile_worker._private_jobs
          set run_at = now() - make_interval(days => $2), attempts = $3,
              locked_at = case when $4 then now() end, locked_by = case when $4 then 'somebody' end,
              last_error = case when key ^@ 'its process' then null else 'no luck' end
        where key = $1`,
      [key, days, attempts, locked],
    )
  }
  await sweepGivenUp(db, new Date())
  const { rows: left } = await ownerDb.query<{ key: string }>(
    'select key from graphile_worker._private_jobs order by id',
  )
  expect(left.map(({ key }) => key)).toEqual([
    'given up lately',
    'waits for its next try',
    'runs for the last time',
  ])
  expect(await jobs.statuses(db, new Date())).toMatchObject([{ givenUp: 1n, waiting: 1n, running: 1n }])
})
