import { expect, test } from 'vitest'
import { companyDesk } from './company-fixture.ts'

const desk = await companyDesk()
const { announce, ask, dollars, expectLotsToBeTheBalance, holds, nextDay, operations, ownerDb, run } = desk
const { shares, somebody, today, trade } = desk

/** What came out of the job's failures, for whoever runs this. */
async function failures() {
  const { rows } = await ownerDb.query<{ failure: string | null; attempts: number }>(
    `select failure, attempts from trading.corporate_actions where instrument_id = $1 order by action_id`,
    [desk.of.share],
  )
  return rows
}

const houseWithheld = () => holds('house', 'USD', 'withholding')

test('a rename is in every holder’s history with both names, once, and moves neither shares, lots nor orders', async () => {
  const [ewa, gone] = [await somebody({ USD: '1000.00' }), await somebody({ USD: '1000.00' })]
  await trade(ewa, 'buy', '3')
  await trade(gone, 'buy', '1')
  await trade(gone, 'sell', '1')
  const limit = { side: 'sell', type: 'limit', quantity: '1', limitPrice: '109', timeInForce: 'gtc' }
  const order = await desk.order(ewa, { instrument: desk.of.ticker, ...limit })
  await ownerDb.query(
    `insert into market_data.instrument_names (instrument_id, ticker, until_on) values ($1, 'OLDX', $2)`,
    [desk.of.share, today()],
  )
  await announce({ kind: 'rename', on: today(), newTicker: desk.of.ticker })
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  const [operation] = await operations(ewa, 'rename')
  expect(operation).toMatchObject({
    amounts: [],
    corporateAction: {
      exDate: today(),
      quantity: '3.000000000',
      tickerFrom: 'OLDX',
      tickerTo: desk.of.ticker,
      correction: false,
    },
  })
  const { body } = await ask(ewa, 'GET', `/operations/${String(operation?.['id'])}`)
  expect(body['postings']).toHaveLength(4)
  expect(await shares(ewa)).toBe('2.000000000')
  expect(await holds(ewa, desk.of.share, 'reserved')).toBe('1.000000000')
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({ status: 'new' })
  expect(await operations(gone, 'rename')).toEqual([])
})

test('a delisting is in every holder’s history with its day and last price, after their orders were ended', async () => {
  const ewa = await somebody({ USD: '1000.00' })
  await trade(ewa, 'buy', '2')
  const limit = { side: 'sell', type: 'limit', quantity: '1', limitPrice: '109', timeInForce: 'gtc' }
  const order = await desk.order(ewa, { instrument: desk.of.ticker, ...limit })
  await announce({ kind: 'delisting', on: today(), lastPrice: '98.5' })
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await desk.show(ewa, String(order.body['id']))).toMatchObject({ reason: 'delisted' })
  expect(await operations(ewa, 'delisting')).toMatchObject([
    {
      amounts: [],
      corporateAction: { exDate: today(), quantity: '2.000000000', lastPrice: '98.5', currency: 'USD' },
    },
  ])
  await expectLotsToBeTheBalance(ewa)
})

test('a dividend in another currency is paid in it and counts in the share’s; its correction may change the currency', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  await nextDay()
  const dividend = { kind: 'dividend', on: today(), payOn: today() } as const
  const first = await announce({ ...dividend, amount: '0.40', currency: 'GBP' })
  await run()
  expect(await holds(ewa, 'GBP', 'available')).toBe('4.00')
  // 4 GBP · 1.0811 / 0.8601, rounded down.
  expect((await expectLotsToBeTheBalance(ewa))?.dividendsMinor).toBe(502n)
  const before = Number(await dollars(ewa))
  await announce({ ...dividend, amount: '0.50' }, first)
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect(await holds(ewa, 'GBP', 'available')).toBe('0.00')
  expect(Number(await dollars(ewa)) - before).toBeCloseTo(5, 9)
  expect(await operations(ewa, 'dividend')).toMatchObject([
    {
      amounts: expect.arrayContaining([
        { asset: 'USD', amount: '5.00' },
        { asset: 'GBP', amount: '-4.00' },
      ]),
    },
    { amounts: [{ asset: 'GBP', amount: '4.00' }] },
  ])
})

test('an action that cannot be posted is put off with what it failed with, and others go on', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  await nextDay()
  const dividend = { kind: 'dividend', on: today(), payOn: today() } as const
  const broken = await announce({ ...dividend, amount: '1', currency: 'ZZZ' })
  await announce({ ...dividend, amount: '0.50' })
  const before = Number(await dollars(ewa))
  expect(await run()).toEqual({ posted: 1, failed: 1 })
  expect(Number(await dollars(ewa)) - before).toBeCloseTo(5, 9)
  expect(await failures()).toEqual([
    { failure: expect.stringContaining('ZZZ, which is no currency'), attempts: 1 },
    { failure: null, attempts: 0 },
  ])
  // Not at once again.
  expect(await run()).toEqual({ posted: 0, failed: 0 })
  await nextDay()
  expect(await run()).toEqual({ posted: 0, failed: 1 })
  await announce({ ...dividend, amount: '1' }, broken)
  expect(await run()).toEqual({ posted: 1, failed: 0 })
})

test('a holder that it cannot be posted for does not keep the others from theirs', async () => {
  const [ewa, edek] = [await somebody({ USD: '1000.00' }), await somebody({ USD: '1000.00' })]
  await trade(ewa, 'buy', '1')
  await trade(edek, 'buy', '1')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '1', to: '2' })
  const failing = (walletIds: readonly bigint[]) =>
    walletIds.includes(ewa.walletId)
      ? Promise.reject(new Error('nobody knows'))
      : Promise.resolve(new Map(walletIds.map((id) => [id, 'EUR'])))
  expect(await run({ baseCurrenciesOf: failing })).toEqual({ posted: 1, failed: 1 })
  expect([await shares(ewa), await shares(edek)]).toEqual(['1.000000000', '2.000000000'])
  expect(await failures()).toEqual([{ failure: expect.stringContaining('nobody knows'), attempts: 1 }])
  await nextDay()
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  expect([await shares(ewa), await shares(edek)]).toEqual(['2.000000000', '2.000000000'])
})

test('tax that is kept back is a posting of its own, rounded down, and corrected with the dividend', async () => {
  const ewa = await somebody({ USD: '10000.00' })
  await trade(ewa, 'buy', '10')
  await nextDay()
  const dividend = { kind: 'dividend', on: today(), payOn: today() } as const
  const before = [Number(await dollars(ewa)), Number(await houseWithheld())]
  const came = async () => [
    Math.round((Number(await dollars(ewa)) - (before[0] ?? 0)) * 100),
    Math.round((Number(await houseWithheld()) - (before[1] ?? 0)) * 100),
  ]
  const first = await announce({ ...dividend, amount: '0.333' })
  await run({ withholdingBps: 1_500 })
  // 3.33 and 15 % of it, 0.4995.
  expect(await came()).toEqual([284, 49])
  const [operation] = await operations(ewa, 'dividend')
  expect(operation).toMatchObject({
    amounts: [{ asset: 'USD', amount: '2.84' }],
    corporateAction: { withholdingBps: 1_500, withheld: '0.49' },
  })
  const { body } = await ask(ewa, 'GET', `/operations/${String(operation?.['id'])}`)
  expect(body['postings']).toEqual([
    { from: 'house:brokerage', to: 'available', asset: 'USD', amount: '3.33' },
    { from: 'available', to: 'house:withholding', asset: 'USD', amount: '0.49' },
  ])
  await announce({ ...dividend, amount: '0.1' }, first)
  await run({ withholdingBps: 1_500 })
  expect(await came()).toEqual([85, 15])
  expect((await expectLotsToBeTheBalance(ewa))?.dividendsMinor).toBe(85n)
})

test('of a split’s rest below a billionth of a share, the holder gets the worth, or is told that it is none', async () => {
  const rich = await somebody({ USD: '200000000.00' })
  await trade(rich, 'buy', '1.000000001', '100000000')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '10', to: '1' })
  const before = Number(await dollars(rich))
  expect(await run()).toEqual({ posted: 1, failed: 0 })
  // A tenth of a billionth, at 1 000 000 000.
  expect(Number(await dollars(rich)) - before).toBeCloseTo(0.1, 6)
  expect(await operations(rich, 'split')).toMatchObject([
    {
      amounts: expect.arrayContaining([{ asset: 'USD', amount: '0.10' }]),
      corporateAction: { fraction: '0.0000000001', fractionPaid: '0.10' },
    },
  ])
  await expectLotsToBeTheBalance(rich)
  await trade(rich, 'sell', '0.05', '1000')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '3', to: '1' })
  await run()
  expect((await operations(rich, 'split'))[0]).toMatchObject({
    amounts: [{ asset: desk.of.ticker, amount: '-0.033333334' }],
    corporateAction: { fraction: '0.000000000666…', fractionPaid: '0.00' },
  })
})

test('shares that no lot accounts for can be sold, sent and split: they cost nothing', async () => {
  const [ewa, edek] = [await somebody({ USD: '1000.00' }), await somebody({ USD: '1000.00' })]
  await desk.giveShares(ewa, desk.of.share, '5')
  await trade(ewa, 'sell', '1')
  await desk.send(ewa, edek, '1.5')
  await trade(edek, 'buy', '1')
  await nextDay()
  await announce({ kind: 'split', on: today(), from: '2', to: '1' })
  expect(await run()).toEqual({ posted: 2, failed: 0 })
  expect([await shares(ewa), await shares(edek)]).toEqual(['1.250000000', '1.250000000'])
  const [first, second] = [await expectLotsToBeTheBalance(ewa), await expectLotsToBeTheBalance(edek)]
  expect([first?.fifo.held.costMinor, second?.fifo.held.costMinor]).toEqual([0n, 10_000n])
})
