import { randomUUID } from 'node:crypto'
import { exchangeRoutes, DEFAULT_EXCHANGE_SETTINGS } from '#exchange'
import { customersByNumbers, findCustomerByHandleOrEmail, maskName } from '#identity'
import { accountId, HOUSE_WALLET_ID, mirrorOf, parseJournalId, PURPOSE, journal } from '#ledger'
import type { JournalKind, Posting } from '#ledger'
import { createVolatility } from '#market-data'
import { moneyFixture, type Answer, type Customer } from '#test/money-fixture'
import { transferRoutes } from '#transfers'
import { operationInFull, operations, type Operation, type OperationInFull } from '@kantor/contract/api'
import { beforeAll, describe, expect, test } from 'vitest'
import { createIndexBuilder } from './index-builder.ts'
import { historyRoutes } from './routes.ts'

const fixture = await moneyFixture()
const { ask, clock, customer, db, ledger } = fixture
fixture.serve([
  ...historyRoutes({
    ...fixture,
    replica: null,
    people: {
      byWalletIds: async (ids) => {
        const customers = await customersByNumbers(db, ids)
        return new Map([...customers].map(([id, { handle, name }]) => [id, { handle, name: maskName(name) }]))
      },
      walletOfHandle: async (handle) => (await findCustomerByHandleOrEmail(db, handle))?.number ?? null,
    },
    indexBuilder: createIndexBuilder({ db, clock: clock.now, onError: console.error }),
  }),
  ...transferRoutes(fixture),
  ...exchangeRoutes({
    ...fixture,
    clock: clock.now,
    newId: randomUUID,
    volatility: createVolatility({ ...fixture, clock: clock.now }),
    settings: DEFAULT_EXCHANGE_SETTINGS,
  }),
])

let ewa: Customer
let edek: Customer

const EUR = 978
const own = (of: Customer, purpose: number, assetId = EUR) =>
  accountId({ walletId: of.walletId, assetId, purpose })
const house = (purpose: number, assetId = EUR) => accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose })

async function list(of: Customer, query = ''): Promise<Operation[]> {
  const { status, body } = await ask(of, 'GET', `/operations${query}`)
  expect(status).toBe(200)
  return operations.parse(body).items
}

async function show(of: Customer, id: unknown): Promise<OperationInFull> {
  const { status, body } = await ask(of, 'GET', `/operations/${String(id)}`)
  expect(status).toBe(200)
  return operationInFull.parse(body)
}

async function post(kind: JournalKind, postings: Posting[], reverses?: string): Promise<string> {
  const verdict = await ledger.post({
    kind,
    scope: 0n,
    key: randomUUID(),
    requestHash: Buffer.alloc(16),
    postings,
    opens: postings.flatMap(({ from, to }) => [from, to]),
    ...(reverses === undefined ? {} : { reverses }),
  })
  if (verdict.outcome !== 'posted') throw new Error(verdict.reason)
  return verdict.journal.id
}

function send(from: Customer, to: string, amount: string, note?: string): Promise<Answer> {
  const body = { to, asset: 'EUR', amount, ...(note === undefined ? {} : { note }) }
  return ask(from, 'POST', '/transfers', { body, key: randomUUID() })
}

beforeAll(async () => {
  await fixture.publishRates({ USD: '1.0811', PLN: '4.2719' })
  ewa = await customer('ewa', { EUR: '1000.00' }, { name: 'Ewa Nowak' })
  edek = await customer('edek', {}, { name: 'Edward Kowalski' })
})

describe('both sides of a transfer', () => {
  test('see it with their own sign and the other one as its counterparty', async () => {
    const { body } = await send(ewa, '@edek', '12.34', 'Pizza na Łazienkowskiej')
    const [sent] = await list(ewa)
    const [received] = await list(edek)
    const common = { id: body['id'], kind: 'transfer', status: 'posted', note: 'Pizza na Łazienkowskiej' }
    const at = clock.now().toISOString()
    expect(sent).toEqual({
      ...common,
      at,
      amounts: [{ asset: 'EUR', amount: '-12.34' }],
      counterparty: { handle: 'edek', name: 'Ed**** K*******' },
    })
    expect(received).toEqual({
      ...common,
      at,
      amounts: [{ asset: 'EUR', amount: '12.34' }],
      counterparty: { handle: 'ewa', name: 'E** N****' },
    })
  })

  test('read its postings with each other by handle, and the block that holds it', async () => {
    const { body } = await send(ewa, '@edek', '1.00')
    const shown = await show(edek, body['id'])
    expect(shown.postings).toEqual([{ from: '@ewa', to: 'available', asset: 'EUR', amount: '1.00' }])
    expect((await show(ewa, body['id'])).postings).toEqual([
      { from: 'available', to: '@edek', asset: 'EUR', amount: '1.00' },
    ])
    const { rows } = await db.query<{ hash: Buffer }>('select hash from ledger.blocks where height = $1', [
      BigInt(shown.block.height),
    ])
    expect(shown.block.hash).toBe(rows[0]?.hash.toString('hex'))
  })

  test('find it by counterparty, with and without @, and nothing by a handle that nobody bears', async () => {
    expect(await list(ewa, '?counterparty=@edek')).toEqual(await list(ewa, '?counterparty=edek'))
    expect((await list(ewa, '?counterparty=edek')).length).toBeGreaterThan(0)
    for (const handle of ['nobody', 'ewa']) expect(await list(ewa, `?counterparty=${handle}`)).toEqual([])
  })

  test('find it by the beginning of a word of its note, however that is spelt', async () => {
    expect(await list(edek, `?q=${encodeURIComponent('LAZIENK pizz')}`)).toHaveLength(1)
  })
})

test('a conversion says rate, mid, margin, fee and rounding such that the figures add up', async () => {
  const quote = await ask(ewa, 'POST', '/conversion-quotes', {
    body: { from: 'EUR', to: 'PLN', fromAmount: '100.00' },
  })
  const done = await ask(ewa, 'POST', '/conversions', {
    body: { quoteId: quote.body['id'] },
    key: randomUUID(),
  })
  expect(done.status).toBe(201)
  const shown = await show(ewa, done.body['id'])
  const received = shown.amounts.find(({ asset }) => asset === 'PLN')?.amount ?? ''
  expect(shown).toMatchObject({
    kind: 'conversion',
    amounts: [{ asset: 'EUR', amount: '-100.00' }, { asset: 'PLN' }],
    fee: done.body['fee'],
    rate: done.body['rate'],
    mid: quote.body['mid'],
    marginBps: quote.body['marginBps'],
    rateSource: quote.body['source'],
    rateAsOf: quote.body['rateAsOf'],
  })
  expect(shown.postings.map(({ from, to, asset }) => `${from} > ${to} ${asset}`)).toEqual([
    'available > house:conversion EUR',
    'house:conversion > available PLN',
    'available > house:fees EUR',
  ])
  // 99.90 exchanged at 4.2719 = 426.76281 before the margin.
  const margin = (99.9 * 4.2719 * (shown.marginBps ?? 0)) / 10_000
  expect(Number(shown.margin?.amount)).toBeCloseTo(margin, 1)
  expect(shown.rounding?.asset).toBe('PLN')
  expect(Number(received) + Number(shown.rounding?.amount)).toBeCloseTo(99.9 * 4.2719 - margin, 8)
})

test('reserving and releasing show what became unavailable and available again', async () => {
  const [available, reserved] = [own(ewa, PURPOSE.available), own(ewa, PURPOSE.reserved)]
  const taken = await post('reserve', [{ from: available, to: reserved, amount: 500n }])
  const back = await post('release', [{ from: reserved, to: available, amount: 200n }])
  expect((await show(ewa, taken)).amounts).toEqual([{ asset: 'EUR', amount: '-5.00' }])
  expect((await show(ewa, taken)).postings).toEqual([
    { from: 'available', to: 'reserved', asset: 'EUR', amount: '5.00' },
  ])
  expect((await show(ewa, back)).amounts).toEqual([{ asset: 'EUR', amount: '2.00' }])
})

test('a reversed operation says so, and its reversal names the same counterparty', async () => {
  const { body } = await send(ewa, '@edek', '3.00')
  const id = String(body['id'])
  const original = await journal(db, id)
  const reversal = await post('reversal', mirrorOf(original?.postings ?? []), id)
  expect((await list(ewa)).map(({ id: shown, status }) => [shown, status]).slice(0, 2)).toEqual([
    [reversal, 'posted'],
    [id, 'reversed'],
  ])
  expect((await show(ewa, reversal)).counterparty?.handle).toBe('edek')
  expect((await list(edek, '?counterparty=ewa&kind=reversal')).map((operation) => operation.id)).toEqual([
    reversal,
  ])
})

test('of an operation of several customers, one sees nothing that passed between the others', async () => {
  const stranger = await customer('stranger', { EUR: '50.00' })
  const id = await post('adjustment', [
    { from: own(stranger, PURPOSE.available), to: own(edek, PURPOSE.available), amount: 100n },
    { from: house(PURPOSE.funding), to: own(ewa, PURPOSE.available), amount: 7n },
    { from: house(PURPOSE.rounding), to: house(PURPOSE.fees), amount: 1n },
  ])
  const { postings, amounts } = await show(ewa, id)
  expect(amounts).toEqual([{ asset: 'EUR', amount: '0.07' }])
  expect(postings.map(({ from, to }) => `${from} > ${to}`)).toEqual([
    'house:funding > available',
    'house:rounding > house:fees',
  ])
})

describe('another customer’s operation', () => {
  test('answers like a missing one, and so does an id that never was', async () => {
    const stranger = await customer('another', { EUR: '1.00' })
    const { body } = await send(ewa, '@edek', '1.00')
    const id = String(body['id'])
    const seq = parseJournalId(id)?.seq ?? 0n
    const otherTime = `${'0'.repeat(8)}${id.slice(8)}`
    expect(seq).toBeGreaterThan(0n)
    const answers = await Promise.all(
      [id, randomUUID(), otherTime, '00000000-0000-7000-8000-000000000000'].map((asked) =>
        ask(stranger, 'GET', `/operations/${asked}`),
      ),
    )
    for (const { status, body: problem } of answers) {
      expect([status, problem['code'], problem['detail']]).toEqual([
        404,
        'not_found',
        answers[0]?.body['detail'],
      ])
    }
    expect((await list(stranger)).map(({ kind }) => kind)).toEqual(['deposit'])
  })
})

describe('what cannot be asked is refused with its path', () => {
  test.each([
    ['amountMin=1.00', 400, 'invalid_request', 'asset'],
    ['asset=EUR&amountMin=1.001', 400, 'invalid_request', 'amountMin'],
    ['asset=EUR&amountMax=99999999999999999999', 400, 'invalid_request', 'amountMax'],
    ['asset=JPY&amountMax=1.5', 400, 'invalid_request', 'amountMax'],
    ['asset=XXY', 422, 'unknown_asset', 'asset'],
    ['kind=gift', 400, 'invalid_request', 'kind'],
    ['from=yesterday', 400, 'invalid_request', 'from'],
    ['to=2026-02-30T00:00:00Z', 400, 'invalid_request', 'to'],
    ['q=%21%21', 400, 'invalid_request', 'q'],
    ['q=', 400, 'invalid_request', 'q'],
    ['limit=0', 400, 'invalid_request', 'limit'],
    ['limit=101', 400, 'invalid_request', 'limit'],
    ['counterparty=%40', 400, 'invalid_request', 'counterparty'],
    ['colour=red', 400, 'invalid_request', undefined],
  ])('%s: %i %s %s', async (query, status, code, path) => {
    const answer = await ask(ewa, 'GET', `/operations?${query}`)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    const errors = answer.body['errors'] as { path: string }[] | undefined
    if (path !== undefined) expect(errors?.map((error) => error.path)).toEqual([`query.${path}`])
  })

  test.each(['from=0000-01-01T00:00:00Z', 'to=9999-12-31T23:59:59.999999Z', 'from=9999-12-31T23:59:59Z'])(
    'the ends of time are times: %s',
    async (query) => {
      expect((await ask(ewa, 'GET', `/operations?${query}`)).status).toBe(200)
    },
  )
})

describe('a time range includes its ends', () => {
  test('to the millisecond, whatever the offset', async () => {
    clock.advance(1_000)
    const { body } = await send(ewa, '@edek', '1.00')
    const at = clock.now()
    clock.advance(1_000)
    await send(ewa, '@edek', '1.00')
    const local = new Date(at.getTime() + 7_200_000).toISOString().replace('Z', '+02:00')
    const range = `?from=${encodeURIComponent(local)}&to=${at.toISOString()}`
    expect((await list(ewa, range)).map(({ id }) => id)).toEqual([body['id']])
    const later = at.toISOString().replace('Z', '001Z')
    expect(await list(ewa, `?from=${later}&to=${later}`)).toEqual([])
  })
})

describe('a cursor', () => {
  test('goes on in its own list and is refused in any other, or when a byte of it changed', async () => {
    const { body } = await ask(ewa, 'GET', '/operations?limit=2')
    const cursor = String(body['nextCursor'])
    expect((await ask(ewa, 'GET', `/operations?limit=3&cursor=${cursor}`)).status).toBe(200)
    const changed = [...cursor].map(
      (letter, index) => cursor.slice(0, index) + (letter === 'A' ? 'B' : 'A') + cursor.slice(index + 1),
    )
    const refused = [
      ...changed.map((wrong) => [ewa, `/operations?cursor=${wrong}`] as const),
      [edek, `/operations?cursor=${cursor}`] as const,
      [ewa, `/operations?kind=transfer&cursor=${cursor}`] as const,
      [ewa, `/operations?cursor=${cursor}%3D`] as const,
      [ewa, '/operations?cursor=1'] as const,
    ]
    for (const [of, path] of refused) {
      const answer = await ask(of, 'GET', path)
      expect([path, answer.status, answer.body['code']]).toEqual([path, 400, 'invalid_cursor'])
    }
  })
})

test('an acknowledged operation is in the next list and in the next search', async () => {
  for (let number = 0; number < 5; number += 1) {
    const { body } = await send(ewa, '@edek', '0.01', `unique${number}`)
    expect((await list(ewa, '?limit=1')).map(({ id }) => id)).toEqual([body['id']])
    expect((await list(edek, `?q=unique${number}`)).map(({ id }) => id)).toEqual([body['id']])
  }
})
