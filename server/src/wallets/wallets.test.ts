import { randomUUID } from 'node:crypto'
import { accountId, balances, declareAssets, freezeAsset, PURPOSE } from '#ledger'
import { moneyFixture } from '#test/money-fixture'
import type { Customer } from '#test/money-fixture'
import { beforeAll, describe, expect, test } from 'vitest'
import { openWallet } from './open-wallet.ts'
import { walletRoutes } from './routes.ts'
import type { WalletDeps } from './routes.ts'

const fixture = await moneyFixture()
const { ask, available, clock, customer, db, ledger, ownerDb } = fixture
let baseCurrency = 'EUR'
const deps: WalletDeps = {
  ...fixture,
  paperMoney: [
    { asset: 'EUR', mostMinor: 1_000_000n },
    { asset: 'JPY', mostMinor: 500n },
  ],
  baseCurrencyOf: async () => baseCurrency,
  version: '1.2.3',
}
fixture.serve(walletRoutes(deps))

const welcomeGrant = [
  { asset: 'EUR', minor: 1_000_000n },
  { asset: 'USD', minor: 500_000n },
]
const open = (of: Customer, currencies: string[], grant = welcomeGrant) =>
  db.transaction((tx) =>
    openWallet(tx, { ledger, welcomeGrant: grant }, { walletId: of.walletId, currencies }),
  )
const show = async (of: Customer, base = 'EUR') => {
  baseCurrency = base
  const { status, body } = await ask(of, 'GET', '/wallet')
  expect(status).toBe(200)
  return body
}

beforeAll(() => fixture.publishRates({ USD: '1.0811', PLN: '4.2719', JPY: '158.77', BTC: '0.00001234' }))

describe('a wallet opens in the tx of the sign-up', () => {
  test('with the welcome grant in one journal, and shows the chosen currencies', async () => {
    const ewa = await customer('ewa')
    await open(ewa, ['EUR', 'PLN', 'CHF'])
    expect([await available(ewa, 'EUR'), await available(ewa, 'USD')]).toEqual(['10000.00', '5000.00'])
    const { rows } = await ownerDb.query(
      `select kind, cardinality(postings) / 3 as postings, detail from ledger.journals where scope = $1`,
      [ewa.walletId],
    )
    expect(rows).toEqual([{ kind: 1, postings: 2, detail: { reason: 'welcome' } }])
    const { balances: lines } = await show(ewa)
    expect((lines as { asset: string }[]).map(({ asset }) => asset)).toEqual(['EUR', 'USD', 'PLN', 'CHF'])
  })

  test('without a grant posts nothing', async () => {
    const bare = await customer('bare')
    await open(bare, ['EUR', 'PLN'], [])
    expect(await balances(db, bare.walletId)).toEqual([])
    expect((await show(bare))['worth']).toBe('0.00')
  })

  test('and not at all when a currency is unknown: neither rows nor money', async () => {
    const failed = await customer('failed')
    await expect(open(failed, ['EUR', 'XXX'])).rejects.toMatchObject({ code: 'unknown_asset' })
    expect(await balances(db, failed.walletId)).toEqual([])
    expect((await show(failed))['balances']).toEqual([])
  })

  test('leaving every Idempotency-Key to its owner: the grant took none that a header can bear', async () => {
    const keyed = await customer('keyed')
    await open(keyed, ['EUR'])
    const body = { asset: 'EUR', amount: '1.00' }
    for (const key of ['welcome', 'welcome-grant', 'welcome%20grant']) {
      expect((await ask(keyed, 'POST', '/wallet/deposits', { body, key })).status).toBe(201)
    }
    expect((await ask(keyed, 'POST', '/wallet/deposits', { body, key: 'welcome grant' })).status).toBe(400)
  })
})

describe('what a wallet is worth', () => {
  test('is each balance by the exact rate, rounded down, and their sum', async () => {
    const holder = await customer('holder', { EUR: '10.00', USD: '33.33', JPY: '100', BTC: '0.12345678' })
    const body = await show(holder)
    // 33.33 / 1.0811 = 30.8297…; 100 / 158.77 = 0.6298…; 0.12345678 / 0.00001234 = 10004.6012…
    expect(body).toEqual({
      baseCurrency: 'EUR',
      worth: '10046.04',
      unknown: [],
      ratesAsOf: clock.now().toISOString(),
      stale: [],
      balances: [
        line('EUR', 'currency', 'Euro', '10.00', '10.00'),
        line('BTC', 'crypto', 'Bitcoin', '0.12345678', '10004.60'),
        line('USD', 'currency', 'US Dollar', '33.33', '30.82'),
        line('JPY', 'currency', 'Japanese Yen', '100', '0.62'),
      ],
    })
  })

  test('is told in any base currency, over the cross rate', async () => {
    const crossed = await customer('crossed', { PLN: '427.19' })
    // 427.19 / 4.2719 = 100 EUR exactly; 100 · 158.77 = 15877 JPY exactly
    expect(await show(crossed, 'JPY')).toMatchObject({ baseCurrency: 'JPY', worth: '15877' })
    expect(await show(crossed, 'PLN')).toMatchObject({ worth: '427.19', ratesAsOf: null })
  })

  test('counts what is reserved, and shows it apart', async () => {
    const saver = await customer('saver', { EUR: '10.00' })
    await reserve(saver, 978, 250n)
    const { worth, balances: lines } = await show(saver)
    expect(worth).toBe('10.00')
    expect(lines).toMatchObject([{ available: '7.50', reserved: '2.50', worth: '10.00' }])
  })

  test('names what has no rate and leaves it out: it counts neither as 1 nor as 0', async () => {
    const collector = await customer('collector', { EUR: '1.00', XPF: '5000', ISK: '7' })
    const { worth, unknown, balances: lines } = await show(collector)
    expect(worth).toBe('1.00')
    expect(unknown).toEqual(['ISK', 'XPF'])
    expect(lines).toMatchObject([
      { asset: 'EUR', worth: '1.00' },
      { asset: 'ISK', worth: null },
      { asset: 'XPF', available: '5000', worth: null },
    ])
  })

  test('knows no worth in a base currency that has no rate, and still shows every balance', async () => {
    const stranded = await customer('stranded', { EUR: '1.00', USD: '2.00' })
    expect(await show(stranded, 'ISK')).toMatchObject({
      worth: '0',
      unknown: ['EUR', 'USD'],
      ratesAsOf: null,
      balances: [{ asset: 'EUR' }, { asset: 'USD' }],
    })
  })

  test('takes a stale rate for showing, and says which and since when', async () => {
    const waiting = await customer('waiting', { USD: '10.81', EUR: '1.00' })
    const asOf = clock.now().toISOString()
    clock.advance(7_201_000)
    const { worth, stale, ratesAsOf } = await show(waiting)
    expect([worth, stale, ratesAsOf]).toEqual(['10.99', ['USD'], asOf])
    await fixture.publishRates({ USD: '1.0811', PLN: '4.2719', JPY: '158.77', BTC: '0.00001234' })
    expect((await show(waiting))['stale']).toEqual([])
  })

  test('shows an instrument that the ledger holds, though nobody prices it yet', async () => {
    await declareAssets(ownerDb, [
      { id: 10_001, code: 'AAPL', kind: 'instrument', scale: 9, name: 'Apple Inc.' },
    ])
    const trader = await customer('trader')
    await grant(trader, 10_001, 1_500_000_000n)
    expect(await show(trader)).toMatchObject({
      worth: '0.00',
      unknown: ['AAPL'],
      balances: [
        { asset: 'AAPL', kind: 'instrument', name: 'Apple Inc.', available: '1.500000000', worth: null },
      ],
    })
  })

  test('sums past what one account can hold', async () => {
    const rich = await customer('rich', { EUR: '90000000000000000.00', USD: '90000000000000000.00' })
    const { worth } = await show(rich)
    expect(BigInt(String(worth).replace('.', ''))).toBeGreaterThan(2n ** 63n)
  })
})

describe('opening a balance', () => {
  test('shows it at zero, once, however often it is asked', async () => {
    const opener = await customer('opener')
    for (let times = 0; times < 2; times += 1) {
      const { status, body } = await ask(opener, 'POST', '/wallet/balances', { body: { asset: 'CZK' } })
      expect([status, body['balances']]).toMatchObject([200, [{ asset: 'CZK', available: '0.00' }]])
    }
  })

  test('of an unknown asset is refused', async () => {
    const { body } = await ask(await customer('opener2'), 'POST', '/wallet/balances', {
      body: { asset: 'XXX' },
    })
    expect(body['code']).toBe('unknown_asset')
  })
})

describe('paper money', () => {
  const take = (of: Customer, body: Record<string, unknown>, key: string = randomUUID()) =>
    ask(of, 'POST', '/wallet/deposits', { body, key })

  test('arrives from the house funding account', async () => {
    const taker = await customer('taker')
    const before = BigInt((await available('funding', 'EUR')).replace('.', ''))
    const { status, body } = await take(taker, { asset: 'EUR', amount: '10000' })
    expect(status).toBe(201)
    expect(body).toEqual({
      id: expect.any(String),
      kind: 'deposit',
      status: 'posted',
      asset: 'EUR',
      amount: '10000.00',
      at: clock.now().toISOString(),
    })
    expect(await available(taker, 'EUR')).toBe('10000.00')
    expect(BigInt((await available('funding', 'EUR')).replace('.', ''))).toBe(before - 1_000_000n)
  })

  test.each([
    ['over the limit', { asset: 'EUR', amount: '10000.01' }, 422, 'deposit_limit'],
    ['in an asset that is not handed out', { asset: 'USD', amount: '1.00' }, 403, 'deposits_disabled'],
    ['in an unknown asset', { asset: 'XXX', amount: '1.00' }, 422, 'unknown_asset'],
    ['of zero', { asset: 'JPY', amount: '0' }, 422, 'amount_not_positive'],
    ['of too many digits', { asset: 'JPY', amount: '1.5' }, 400, 'invalid_request'],
    ['of too much to be an amount', { asset: 'JPY', amount: '9999999999999999999' }, 422, 'amount_too_large'],
  ])('%s is refused', async (_, body, status, code) => {
    const taker = await customer(`t${randomUUID().replaceAll('-', '').slice(0, 12)}`)
    const answer = await take(taker, body)
    expect([answer.status, answer.body['code']]).toEqual([status, code])
    expect(await balances(db, taker.walletId)).toEqual([])
  })

  test('of a frozen asset is refused', async () => {
    await freezeAsset(ownerDb, 392, clock.now())
    const { body } = await take(await customer('frosty'), { asset: 'JPY', amount: '1' })
    expect(body['code']).toBe('asset_frozen')
    await freezeAsset(ownerDb, 392, null)
  })

  test('with the same key fifty times at once arrives once, and every answer is the same', async () => {
    const taker = await customer('hurried')
    const request = { asset: 'JPY', amount: '500' }
    const answers = await Promise.all(Array.from({ length: 50 }, () => take(taker, request, 'once')))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect(await available(taker, 'JPY')).toBe('500')
    const { body } = await take(taker, { asset: 'JPY', amount: '499' }, 'once')
    expect(body['code']).toBe('idempotency_key_reused')
  })

  test('is refused everywhere when the operator hands out none, but what was handed out is still answered', async () => {
    const taker = await customer('late')
    const request = { asset: 'JPY', amount: '5' }
    const first = await take(taker, request, 'before')
    fixture.serve(walletRoutes({ ...deps, paperMoney: [] }))
    expect((await take(taker, request)).body['code']).toBe('deposits_disabled')
    expect((await take(taker, request, 'before')).text).toBe(first.text)
    fixture.serve(walletRoutes(deps))
  })
})

test('anybody may ask what is offered here', async () => {
  const { status, body } = await ask(null, 'GET', '/meta')
  expect(status).toBe(200)
  expect(body).toEqual({
    version: '1.2.3',
    simulated: false,
    paperMoney: [
      { asset: 'EUR', amount: '10000.00' },
      { asset: 'JPY', amount: '500' },
    ],
    passwordLengthMin: 10,
  })
})

function line(asset: string, kind: string, name: string, amount: string, worth: string) {
  const reserved = amount.replaceAll(/[0-9]/g, '0').replace(/^0+(?=\.|$)/, '0')
  return { asset, kind, name, available: amount, reserved, worth }
}

async function reserve(of: Customer, assetId: number, amount: bigint): Promise<void> {
  const at = (purpose: number) => accountId({ walletId: of.walletId, assetId, purpose })
  await post('reserve', { from: at(PURPOSE.available), to: at(PURPOSE.reserved), amount })
}

async function grant(of: Customer, assetId: number, amount: bigint): Promise<void> {
  await post('deposit', {
    from: accountId({ walletId: 1n, assetId, purpose: PURPOSE.funding }),
    to: accountId({ walletId: of.walletId, assetId, purpose: PURPOSE.available }),
    amount,
  })
}

async function post(
  kind: 'reserve' | 'deposit',
  posting: { from: bigint; to: bigint; amount: bigint },
): Promise<void> {
  const verdict = await ledger.post({
    kind,
    scope: 0n,
    key: randomUUID(),
    requestHash: Buffer.alloc(16),
    postings: [posting],
    opens: [posting.from, posting.to],
  })
  expect(verdict.outcome).toBe('posted')
}
