import type { BackgroundJob } from '@kantor/contract/api'
import { expect, test } from 'vitest'
import { jobState } from './job-state.ts'

const job: BackgroundJob = {
  name: 'sweep',
  schedule: { cron: '* * * * *', backfillMinutes: 0, nextTickAt: null },
  timeoutSeconds: 1,
  attemptsMax: 3,
  runs: 0,
  failures: 0,
  lastStartedAt: null,
  lastFinishedAt: null,
  lastSuccessAt: null,
  lastDurationMs: null,
  lastError: null,
  waiting: 0,
  running: 0,
  givenUp: 0,
}
const early = '2026-11-22T10:00:00.000Z'
const late = '2026-11-22T11:00:00.000Z'
const failed = { lastFinishedAt: late, lastError: { message: 'no luck', at: late } }

test.each<[string, Partial<BackgroundJob>, string]>([
  ['has never run', {}, 'never'],
  ['runs for the first time', { running: 1 }, 'running'],
  ['went well', { lastFinishedAt: late, lastSuccessAt: late }, 'well'],
  ['has a next tick in the queue', { lastFinishedAt: late, lastSuccessAt: late, waiting: 1 }, 'well'],
  ['is queued by other work', { schedule: null, waiting: 2 }, 'waiting'],
  ['failed and never went well', failed, 'failing'],
  ['failed after it went well', { ...failed, lastSuccessAt: early }, 'failing'],
  [
    'went well after it failed',
    { ...failed, lastError: { message: 'x', at: early }, lastSuccessAt: late },
    'well',
  ],
  ['was given up, though another of it runs', { ...failed, givenUp: 1, running: 1 }, 'givenUp'],
])('a job that %s is told so', (_name, change, state) => {
  expect(jobState({ ...job, ...change })).toBe(state)
})
