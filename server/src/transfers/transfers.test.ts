import { accountId, declareAssets, freezeAsset, HOUSE_WALLET_ID, journal, openLedger, PURPOSE } from '#ledger'
import { moneyFixture } from '#test/money-fixture'
import type { Ask, Customer } from '#test/money-fixture'
import { beforeAll, describe, expect, test } from 'vitest'
import { transferRoutes } from './routes.ts'

const fixture = await moneyFixture()
const { available, ask, customer, ownerDb } = fixture
fixture.serve(transferRoutes(fixture))

let keys = 0
const newKey = () => `key-${(keys += 1)}`
const send = (from: Customer, body: Record<string, unknown>, key = newKey()) =>
  ask(from, 'POST', '/transfers', { body, key })
const journalCount = async () =>
  (await ownerDb.query<{ count: bigint }>('select count(*) as count from ledger.journals')).rows[0]?.count

/** As the identity room does it: the old names are kept with the moment until which they held. */
async function rename(walletId: bigint, handle: string, name: string): Promise<void> {
  await ownerDb.query(
    `with kept as (
       insert into identity.former_names (number, until, handle, name)
       select number, $2, handle, name from identity.customers where number = $1
     )
     update identity.customers set handle = $3, name = $4 where number = $1`,
    [walletId, fixture.clock.now(), handle, name],
  )
}

let ewa: Customer
let edek: Customer

beforeAll(async () => {
  ewa = await customer('ewa', { EUR: '100.00', JPY: '500', BTC: '1.00000000' }, { name: 'Ewa Nowak' })
  edek = await customer('edek', {}, { name: 'Edward Kowalski' })
})

describe('a transfer', () => {
  test('moves the amount from one available balance to the other and says whom it went to, masked', async () => {
    const before = [await available(ewa, 'EUR'), await available(edek, 'EUR')]
    const { status, body, headers } = await send(ewa, {
      to: '@edek',
      asset: 'EUR',
      amount: '12.34',
      note: 'pizza',
    })
    expect(status).toBe(201)
    expect(headers['idempotency-replayed']).toBeUndefined()
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      kind: 'transfer',
      status: 'posted',
      asset: 'EUR',
      amount: '12.34',
      to: { handle: 'edek', name: 'Ed**** K*******' },
      note: 'pizza',
      at: fixture.clock.now().toISOString(),
    })
    expect(before).toEqual(['100.00', '0.00'])
    expect([await available(ewa, 'EUR'), await available(edek, 'EUR')]).toEqual(['87.66', '12.34'])
  })

  test('keeps the note in the journal, and nothing without one', async () => {
    await send(ewa, { to: 'edek', asset: 'JPY', amount: '1', note: 'history' })
    const { rows } = await ownerDb.query<{ detail: unknown }>(
      `select detail from ledger.journals where detail ->> 'note' = 'history'`,
    )
    expect(rows).toEqual([{ detail: { note: 'history' } }])
    const { body } = await send(ewa, { to: 'edek', asset: 'JPY', amount: '1' })
    expect((await journal(ownerDb, String(body['id'])))?.detail).toBeNull()
  })

  test.each([
    ['by bare handle', 'edek'],
    ['by e-mail', 'edek@example.com'],
    ['by e-mail in capitals', 'EDEK@Example.COM'],
  ])('reaches the payee %s', async (_, to) => {
    const { status, body } = await send(ewa, { to, asset: 'JPY', amount: '1' })
    expect(status).toBe(201)
    expect(body).toMatchObject({ to: { handle: 'edek' }, note: null })
  })

  test('writes the amount with all digits of its asset, whatever was typed', async () => {
    const { body } = await send(ewa, { to: 'edek', asset: 'BTC', amount: '0.5' })
    expect(body['amount']).toBe('0.50000000')
  })

  test('to somebody frozen arrives', async () => {
    const frozen = await customer('zamrozony')
    await ownerDb.query('update identity.customers set frozen_at = now() where number = $1', [
      frozen.walletId,
    ])
    expect((await send(ewa, { to: 'zamrozony', asset: 'EUR', amount: '0.01' })).status).toBe(201)
    expect(await available(frozen, 'EUR')).toBe('0.01')
  })
})

test('shares move like money, in their own digits', async () => {
  const assetId = 10_001
  await declareAssets(ownerDb, [
    { id: assetId, code: 'AAPL', kind: 'instrument', scale: 9, name: 'Apple Inc.' },
  ])
  const holder = await customer('investor')
  const from = accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE.brokerage })
  const to = accountId({ walletId: holder.walletId, assetId, purpose: PURPOSE.available })
  const posting = { from, to, amount: 2_000_000_000n }
  const grant = { kind: 'deposit', scope: 0n, key: 'shares', requestHash: Buffer.alloc(16) } as const
  await fixture.ledger.post({ ...grant, postings: [posting], opens: [from, to] })
  const { status, body } = await send(holder, { to: 'edek', asset: 'AAPL', amount: '0.000000001' })
  expect([status, body['amount']]).toEqual([201, '0.000000001'])
})

describe('a transfer is refused and moves nothing', () => {
  test.each<[string, Record<string, unknown>, number, string, string?]>([
    ['to oneself by handle', { to: '@ewa' }, 422, 'payee_is_self'],
    ['to oneself by e-mail', { to: 'ewa@example.com' }, 422, 'payee_is_self'],
    ['to an unknown handle', { to: 'nobody' }, 422, 'payee_not_found', 'to'],
    ['to an unknown e-mail', { to: 'nobody@example.com' }, 422, 'payee_not_found', 'to'],
    ['to a malformed payee', { to: 'x' }, 400, 'invalid_request', 'to'],
    ['of more than there is', { amount: '1000' }, 422, 'insufficient_funds'],
    ['of an asset never held', { asset: 'USD' }, 422, 'insufficient_funds'],
    ['of zero', { amount: '0.00' }, 422, 'amount_not_positive', 'amount'],
    ['of more digits than the asset has', { amount: '0.001' }, 400, 'invalid_request', 'amount'],
    ['of digits where the asset has none', { asset: 'JPY', amount: '1.0' }, 400, 'invalid_request', 'amount'],
    ['of a negative amount', { amount: '-1' }, 400, 'invalid_request', 'amount'],
    ['of an exponent', { amount: '1e2' }, 400, 'invalid_request', 'amount'],
    ['of more than an account holds', { amount: '99999999999999999.99' }, 422, 'amount_too_large', 'amount'],
    ['of an unknown asset', { asset: 'XXX' }, 422, 'unknown_asset', 'asset'],
    ['with a note that reorders text', { note: 'a\u202eb' }, 400, 'invalid_request', 'note'],
    ['with a note of two lines', { note: 'a\u2028b' }, 400, 'invalid_request', 'note'],
    ['with a note over its length', { note: 'x'.repeat(141) }, 400, 'invalid_request', 'note'],
    ['with an unknown field', { fee: '0' }, 400, 'invalid_request', 'fee'],
  ])('%s', async (_, change, status, code, path) => {
    const before = [await journalCount(), await available(ewa, 'EUR')]
    const answer = await send(ewa, { to: 'edek', asset: 'EUR', amount: '1.00', ...change })
    expect(answer.status).toBe(status)
    expect(answer.body['code']).toBe(code)
    if (path !== undefined) expect(answer.body['errors']).toMatchObject([{ path }])
    expect([await journalCount(), await available(ewa, 'EUR')]).toEqual(before)
  })

  test('of a frozen asset', async () => {
    const holder = await customer('holder', { CHF: '5.00' })
    await freezeAsset(ownerDb, 756, fixture.clock.now())
    const { status, body } = await send(holder, { to: 'edek', asset: 'CHF', amount: '1.00' })
    expect([status, body['code']]).toEqual([422, 'asset_frozen'])
    await freezeAsset(ownerDb, 756, null)
    expect((await send(holder, { to: 'edek', asset: 'CHF', amount: '1.00' })).status).toBe(201)
  })

  test('without a key', async () => {
    const { status, body } = await ask(ewa, 'POST', '/transfers', {
      body: { to: 'edek', asset: 'EUR', amount: '1.00' },
    } satisfies Ask)
    expect([status, body['code']]).toEqual([400, 'idempotency_key_required'])
  })
})

describe('the same key again', () => {
  const request = { to: 'edek', asset: 'EUR', amount: '0.10', note: '' }

  test('answers the first body, byte for byte, and moves nothing more', async () => {
    const first = await send(ewa, request, 'again')
    const left = await available(ewa, 'EUR')
    fixture.clock.advance(60_000)
    const second = await send(ewa, request, 'again')
    expect(second.status).toBe(201)
    expect(second.text).toBe(first.text)
    expect(second.headers['idempotency-replayed']).toBe('true')
    expect(await available(ewa, 'EUR')).toBe(left)
  })

  test.each([
    ['another amount', { amount: '0.11' }],
    ['another payee', { to: 'edek@example.com' }],
    ['another note', { note: 'x' }],
    ['a payee that is nobody', { to: 'nobody' }],
    ['an asset that is none', { asset: 'XXX' }],
  ])('for %s is refused', async (_, change) => {
    const { status, body } = await send(ewa, { ...request, ...change }, 'again')
    expect([status, body['code']]).toEqual([422, 'idempotency_key_reused'])
  })

  test('is another key for another customer', async () => {
    const third = await customer('third', { EUR: '1.00' })
    expect((await send(third, request, 'again')).headers['idempotency-replayed']).toBeUndefined()
  })

  test('answers the first body even when the payee has another handle now, or somebody else has it', async () => {
    const before = await customer('oldname', {}, { name: 'Olga Dawna' })
    const given = { to: '@oldname', asset: 'EUR', amount: '0.20' }
    const first = await send(ewa, given, 'renamed')
    fixture.clock.advance(1)
    await rename(before.walletId, 'newname', 'Olga Nowa')
    expect((await send(ewa, given, 'renamed')).text).toBe(first.text)
    expect((await send(ewa, given, 'fresh')).body['code']).toBe('payee_not_found')

    const heir = await customer('oldname', {}, { name: 'Hubert Nowy', email: 'heir@example.com' })
    expect((await send(ewa, given, 'renamed')).text).toBe(first.text)
    expect(await available(heir, 'EUR')).toBe('0.00')

    await send(ewa, given, 'to-the-heir')
    expect(await available(heir, 'EUR')).toBe('0.20')
    expect(await available(before, 'EUR')).toBe('0.20')
  })

  test('fifty at once move the amount once and answer alike', async () => {
    const payer = await customer('storm', { EUR: '100.00' })
    const answers = await Promise.all(Array.from({ length: 50 }, () => send(payer, request, 'storm')))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === 'true')).toHaveLength(49)
    expect(await available(payer, 'EUR')).toBe('99.90')
  })
})

test('of 150 transfers of 1 at once from a balance of 100, exactly 100 are made', async () => {
  const spender = await customer('spender', { JPY: '100' })
  const receiver = await customer('receiver')
  const answers = await Promise.all(
    Array.from({ length: 150 }, () => send(spender, { to: 'receiver', asset: 'JPY', amount: '1' })),
  )
  const refused = answers.filter(({ status }) => status !== 201)
  expect(refused).toHaveLength(50)
  expect(new Set(refused.map(({ body }) => body['code']))).toEqual(new Set(['insufficient_funds']))
  expect([await available(spender, 'JPY'), await available(receiver, 'JPY')]).toEqual(['0', '100'])
})

test('past the queue of the ledger a transfer is told to come again with its key, and then happens once', async () => {
  const narrow = openLedger({
    url: fixture.url,
    applicationName: 'test-narrow',
    clock: fixture.clock.now,
    random: Math.random,
    queueMax: 1,
  })
  fixture.serve(transferRoutes({ ...fixture, ledger: narrow }))
  const payer = await customer('crowd', { JPY: '1000' })
  const request = { to: 'edek', asset: 'JPY', amount: '1' }
  const keysAtOnce = Array.from({ length: 50 }, (_, index) => `crowd-${index}`)
  const answers = await Promise.all(keysAtOnce.map((key) => send(payer, request, key)))
  const busy = answers.filter(({ status }) => status === 503)
  expect(busy.length).toBeGreaterThan(0)
  for (const { body, headers } of busy) expect([body['code'], headers['retry-after']]).toEqual(['busy', '1'])

  fixture.serve(transferRoutes(fixture))
  const retried = await Promise.all(keysAtOnce.map((key) => send(payer, request, key)))
  expect(new Set(retried.map(({ status }) => status))).toEqual(new Set([201]))
  expect(await available(payer, 'JPY')).toBe('950')
  await narrow.close()
})

test('many customers pay each other at once, in both directions, and no unit is lost', async () => {
  const people = await Promise.all(
    Array.from({ length: 10 }, (_, index) => customer(`circle${index}`, { BHD: '10.000' })),
  )
  const answers = await Promise.all(
    Array.from({ length: 400 }, (_, index) => {
      const from = people[index % 10]
      const to = people[(index * 7 + 3) % 10]
      if (from === undefined || to === undefined || from === to) return null
      return send(from, { to: to.handle, asset: 'BHD', amount: `0.${String(index).padStart(3, '0')}` })
    }),
  )
  const problems = answers.filter((answer) => answer !== null && answer.status >= 500)
  expect(problems).toEqual([])
  const balances = await Promise.all(people.map((each) => available(each, 'BHD')))
  expect(balances.reduce((sum, text) => sum + BigInt(text.replace('.', '')), 0n)).toBe(100_000n)
})

describe('looking for a payee', () => {
  const find = (as: Customer, q: string) => ask(as, 'GET', `/payees?q=${encodeURIComponent(q)}`)

  test.each([['@edek'], ['edek'], ['edek@example.com']])('%s is found, masked', async (q) => {
    const { status, body } = await find(ewa, q)
    expect(status).toBe(200)
    expect(body).toEqual({ items: [{ handle: 'edek', name: 'Ed**** K*******' }], nextCursor: null })
  })

  test.each([['nobody'], ['ede'], ['@ewa'], ['ewa@example.com'], ['%'], ["' or true --"]])(
    '%s is an empty list',
    async (q) => {
      const { status, body } = await find(ewa, q)
      expect([status, body['items']]).toEqual([200, []])
    },
  )
})
