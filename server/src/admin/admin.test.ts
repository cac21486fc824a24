import { afterAll, describe, expect, test } from 'vitest'
import { accountId, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import { adminFixture } from './admin-fixture.ts'

const app = await adminFixture()
const admin = await app.signUp('szefowa')
await app.setRole('szefowa', 'admin')
const { ownerDb } = app.database
afterAll(() => app.jobs.stop(5))

interface Job {
  name: string
  schedule: { cron: string; nextTickAt: string } | null
  lastError: { message: string } | null
  waiting: number
  givenUp: number
  runs: number
  lastSuccessAt: string | null
}
async function jobs(): Promise<Job[]> {
  const { body } = await app.ask('GET', '/admin/jobs', admin)
  return body['items'] as Job[]
}
const job = async (name: string) => (await jobs()).find((each) => each.name === name)
const failed = async () =>
  (await app.ask('GET', '/admin/jobs/failed', admin)).body['items'] as { id: string }[]

/** As if a run of it had failed so often. */
async function failedJob(name: string, attempts: number): Promise<string> {
  const { rows } = await ownerDb.query<{ id: bigint }>(
    'select id from graphile_worker.add_job($1, max_attempts := 3)',
    [name],
  )
  await ownerDb.query(
    `update graphile_worker._private_jobs set attempts = $1, last_error = 'no luck', run_at = now() + interval '1 hour'`,
    [attempts],
  )
  return String(rows[0]?.id)
}

describe('jobs', () => {
  test('are listed with their schedule and next tick before any has run', async () => {
    const askedAt = Date.now()
    const all = await jobs()
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(['poll-rates', 'sweep-quotes']))
    const sweep = await job('sweep-quotes')
    expect(sweep).toMatchObject({ schedule: { cron: '41 3 * * *' }, runs: 0, lastError: null })
    expect(sweep?.schedule?.nextTickAt).toMatch(/T03:41:00\.000Z$/)
    expect(new Date(sweep?.schedule?.nextTickAt ?? 0).getTime()).toBeGreaterThan(askedAt)
  })

  test('that were given up are shown, retried by hand once, and the hand is named', async () => {
    const id = await failedJob('sweep-quotes', 3)
    expect(await job('sweep-quotes')).toMatchObject({ givenUp: 1, waiting: 0 })
    expect(await failed()).toMatchObject([
      { id, name: 'sweep-quotes', state: 'givenUp', attempts: 3, attemptsMax: 3, lastError: 'no luck' },
    ])
    expect((await app.ask('POST', `/admin/jobs/failed/${id}/retry`, admin)).status).toBe(204)
    expect(await failed()).toMatchObject([{ id, state: 'waiting', attempts: 0 }])
    expect((await app.acts()).at(-1)).toEqual({ act: 'job_retried', actor: 'szefowa', detail: { jobId: id } })
    await ownerDb.query('truncate graphile_worker._private_jobs')
    const gone = await app.ask('POST', `/admin/jobs/failed/${id}/retry`, admin)
    expect([gone.status, gone.body['code']]).toEqual([404, 'not_found'])
  })

  test('that run at present are not begun a second time by a retry', async () => {
    const id = await failedJob('sweep-quotes', 1)
    await ownerDb.query(`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'other'`)
    expect(await failed()).toMatchObject([{ id, state: 'running' }])
    expect((await app.ask('POST', `/admin/jobs/failed/${id}/retry`, admin)).status).toBe(404)
    await ownerDb.query('truncate graphile_worker._private_jobs')
  })

  test('are run out of turn only where the clock runs them', async () => {
    for (const name of ['no-such-job', 'toString', 'sweep-quotes;'])
      expect((await app.ask('POST', `/admin/jobs/${encodeURIComponent(name)}/run`, admin)).status).toBeOneOf([
        400, 404,
      ])
    const before = (await app.acts()).length
    const run = () => app.ask('POST', '/admin/jobs/sweep-quotes/run', admin)
    expect([(await run()).status, (await run()).status]).toEqual([204, 204])
    expect(await job('sweep-quotes')).toMatchObject({ waiting: 1 })
    expect((await app.acts()).slice(before)).toEqual(
      [1, 2].map(() => ({ act: 'job_started', actor: 'szefowa', detail: { job: 'sweep-quotes' } })),
    )
    await app.jobs.start()
    await expect.poll(async () => (await job('sweep-quotes'))?.lastSuccessAt).toBeTruthy()
  })
})

describe('events', () => {
  const letters = async () =>
    (await app.ask('GET', '/admin/events/dead-letters', admin)).body['items'] as { id: string }[]
  const letterId = '0190c7a2-0000-7000-8000-000000000001'
  const address = `/admin/events/dead-letters/${letterId}`

  test('that a consumer could not handle are shown, asked for once more, and discarded, by name', async () => {
    const { body } = await app.ask('GET', '/admin/events', admin)
    expect(body).toMatchObject({ backlog: 0, head: body['relayed'] })
    await ownerDb.query(`insert into events.cursors (name, seq) values ('nobody', 4096)`)
    await ownerDb.query(
      `insert into events.dead_letters (id, consumer, seq, reason, tries) values ($1, 'nobody', 4096, 'no luck', 6)`,
      [letterId],
    )
    expect(await letters()).toMatchObject([
      { id: letterId, consumer: 'nobody', seq: '4096', reason: 'no luck', tries: 6, isReplayed: false },
    ])
    expect((await app.ask('POST', `${address}/replay`, admin)).status).toBe(204)
    expect(await letters()).toMatchObject([{ id: letterId, isReplayed: true }])
    expect((await app.ask('DELETE', address, admin)).status).toBe(204)
    expect(await letters()).toEqual([])
    expect((await app.ask('POST', `${address}/replay`, admin)).status).toBe(404)
    expect((await app.ask('DELETE', address, admin)).status).toBe(404)
    expect((await app.acts()).slice(-2)).toEqual(
      ['dead_letter_replayed', 'dead_letter_discarded'].map((act) => ({
        act,
        actor: 'szefowa',
        detail: { deadLetterId: letterId },
      })),
    )
  })
})

test('all that a consumer put aside is asked for once more at once, and nothing of others', async () => {
  await ownerDb.query(`insert into events.cursors (name, seq) values ('mended', 8192), ('broken', 8192)`)
  await ownerDb.query(
    `insert into events.dead_letters (id, consumer, seq, reason, tries)
     select gen_random_uuid(), consumer, seq, 'no luck', 6
       from (values ('mended', 4096), ('mended', 8192), ('broken', 4096)) as dead (consumer, seq)`,
  )
  const answer = await app.ask('POST', '/admin/events/consumers/mended/replay', admin)
  expect([answer.status, answer.body]).toEqual([200, { replayed: 2 }])
  const { rows } = await ownerDb.query(
    `select consumer, count(*)::integer as asked from events.dead_letters
      where replay_at is not null group by consumer`,
  )
  expect(rows).toEqual([{ consumer: 'mended', asked: 2 }])
  expect((await app.acts()).at(-1)).toMatchObject({
    act: 'dead_letter_replayed',
    detail: { consumer: 'mended', replayed: '2' },
  })
  await ownerDb.query(`delete from events.dead_letters`)
  await ownerDb.query(`delete from events.cursors where name in ('mended', 'broken')`)
})

test('a provider shows how fresh it is, and what went wrong', async () => {
  await expect
    .poll(async () => (await app.ask('GET', '/admin/providers', admin)).body['rates'])
    .toMatchObject([{ name: 'simulated', simulated: true, stale: false, failuresInARow: 0, quota: null }])
  await ownerDb.query(
    `insert into market_data.divergences (code, provider, other_provider, apart_bps, limit_bps, times, first_at, last_at)
     values ('PLN', 'ecb', 'fixer', 120, 50, 3, now(), now())`,
  )
  const { body } = await app.ask('GET', '/admin/providers', admin)
  expect(body).toMatchObject({
    alarms: { divergences: [{ asset: 'PLN', provider: 'ecb', apartBps: 120, times: 3 }], waiting: [] },
    stocks: { provider: 'simulated', simulated: true },
  })
})

test('what the house took and gave shows in each currency, and adds up with what customers have', async () => {
  const wish = { from: 'EUR', to: 'PLN', fromAmount: '100.00' }
  const ask = () => app.ask('POST', '/conversion-quotes', admin, wish)
  await expect.poll(async () => (await ask()).status).toBe(201)
  const { body: quote } = await ask()
  const conversion = await app.ask(
    'POST',
    '/conversions',
    { ...admin, 'idempotency-key': 'c1' },
    {
      quoteId: quote['id'],
    },
  )
  expect(conversion.status).toBe(201)
  const { body } = await app.ask('GET', '/admin/exposure', admin)
  const { currencies } = body as { currencies: Record<string, string>[] }
  const of = (asset: string) => currencies.find((each) => each['asset'] === asset)
  const { from, to, fee } = conversion.body as Record<'from' | 'to' | 'fee', { amount: string }>
  expect(of('EUR')).toMatchObject({
    conversion: (Number(from.amount) - Number(fee.amount)).toFixed(2),
    fees: fee.amount,
    funding: '-10000.00',
  })
  expect(of('PLN')).toMatchObject({ conversion: `-${to.amount}`, fees: '0.00' })
  expect(body['instruments']).toEqual([])
})

test('shares that customers hold are shown with what they are worth at the last price', async () => {
  const stock = async () =>
    (await app.ask('GET', '/instruments/AAPL', admin)).body as { id: string; price: { last: string } | null }
  await expect.poll(async () => (await stock()).price).toBeTruthy()
  const { id } = await stock()
  const account = accountId({ walletId: HOUSE_WALLET_ID, assetId: Number(id), purpose: PURPOSE.brokerage })
  await ownerDb.query('insert into ledger.accounts (id, balance) values ($1, -2500000000)', [account])
  const { body } = await app.ask('GET', '/admin/exposure', admin)
  const [owed] = body['instruments'] as { price: string; value: string }[]
  expect(owed).toMatchObject({
    instrument: { id, ticker: 'AAPL' },
    heldByCustomers: '2.500000000',
    currency: 'USD',
  })
  const exact = 2.5 * Number(owed?.price)
  expect(exact - Number(owed?.value)).toBeGreaterThan(-1e-9)
  expect(exact - Number(owed?.value)).toBeLessThan(0.01)
})
