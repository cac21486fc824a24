import { afterAll, expect, test } from 'vitest'
import { createJobs, migrateJobs } from '#jobs'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { DEFAULT_AGE_LIMITS } from './age-limits.ts'
import { configuredProviders } from './configured-providers.ts'
import { createRateBook } from './latest-rates.ts'
import { marketDataJobs, marketDataSchedule } from './market-data-jobs.ts'
import { fakeFeed } from './providers/fake-feed.ts'

const { db, url } = await testDatabase({ connectionsMax: 16 })
const clock = fakeClock('2026-11-20T12:00:00Z')
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }
const feed = await fakeFeed()

/** One process of several on the same database: its jobs, and the book that its customers see. */
function startProcess() {
  const { providers } = configuredProviders({
    names: ['fixer', 'simulated'],
    fixerUrl: feed.url,
    fixerApiKey: 'key',
    clock: clock.now,
  })
  const jobs = createJobs({
    db,
    databaseUrl: url,
    log: quiet,
    definitions: marketDataJobs({ db, clock: clock.now, log: quiet, providers }),
    schedule: marketDataSchedule,
  })
  const rates = createRateBook({
    db,
    providers,
    clock: clock.now,
    ageLimits: DEFAULT_AGE_LIMITS,
    log: quiet,
    refreshMs: 20,
  })
  return { jobs, rates }
}

const processes = [startProcess(), startProcess()]
afterAll(async () => {
  await Promise.all(processes.flatMap(({ jobs, rates }) => [jobs.stop(5), rates.stop()]))
})

test('two processes that start ask a provider once, and both see what it said', async () => {
  await migrateJobs(url, quiet)
  feed.answer = (path) =>
    path.startsWith('/api/latest')
      ? {
          body: `{"success":true,"timestamp":${clock.now().getTime() / 1000},"base":"EUR","rates":{"USD":1.157093}}`,
        }
      : { body: '{"success":false,"error":{"code":105,"type":"function_access_restricted"}}' }
  await Promise.all(processes.flatMap(({ jobs, rates }) => [jobs.start(), rates.start()]))
  for (const { rates } of processes) {
    await expect.poll(() => rates.rate('EUR', 'USD')).toMatchObject({ source: 'fixer', mid: '1.157093000' })
  }
  const done = async () =>
    (await processes[0]?.jobs.statuses(db, new Date()))?.find(({ job }) => job === 'poll-rates')
  await expect
    .poll(done)
    .toMatchObject({ failures: 0n, waiting: 0n, running: 0n, schedule: { cron: '*/5 * * * *' } })
  await expect.poll(async () => (await done())?.lastSuccessAt).toBeTruthy()
  // One for the rates, one to learn that this plan has no history.
  expect(feed.asked.map(({ path }) => path.split('?')[0])).toEqual(['/api/latest', '/api/timeseries'])
  expect(processes[0]?.rates.simulated()).toBe(false)
  expect(processes[0]?.rates.rate('EUR', 'PLN')).toMatchObject({ source: 'simulated', simulated: true })
})

test('a listed provider without its key is left out, with the reason', () => {
  const { providers, leftOut } = configuredProviders({
    names: ['fixer', 'ecb', 'nbp', 'simulated'],
    fixerApiKey: null,
    clock: clock.now,
  })
  expect(providers.map(({ name }) => name)).toEqual(['ecb', 'nbp', 'simulated'])
  expect(leftOut).toEqual([{ name: 'fixer', why: 'FIXER_API_KEY is not set' }])
})
