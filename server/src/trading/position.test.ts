import { rateOf } from '@kantor/contract/money'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { gainOf, inBase, minorRate } from './lot-maths.ts'
import { buy, emptyPosition, give, multiply, rebased, receive, sell } from './position.ts'
import type { Book, CostBasisMethod } from './position.ts'

const USD = 840
const METHODS = ['fifo', 'average'] as const
const LAST = new Date('2027-01-01T00:00:00Z')

const rateArbitrary = fc.tuple(fc.bigInt(1n, 10_000n), fc.bigInt(1n, 10_000n)).map(([a, b]) => rateOf(a, b))
const step = fc.record({
  kind: fc.constantFrom('buy', 'buy', 'buy', 'sell', 'sell', 'give', 'split'),
  of: fc.integer({ min: 0, max: 1 }),
  quantity: fc.bigInt(1n, 10n ** 12n),
  /** Of what is held, in thousandths. */
  share: fc.bigInt(1n, 1_000n),
  minor: fc.bigInt(0n, 10n ** 10n),
  fee: fc.bigInt(0n, 10_000n),
  rate: rateArbitrary,
  ratio: fc.constantFrom([4n, 1n], [3n, 2n], [1n, 2n], [1n, 10n]),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

/** What really happened, kept apart from the books: cash per wallet pair, and an exact fifo of fractions. */
interface Truth {
  cash: bigint
  cashInBase: bigint
  fifo: { quantity: bigint; cost: Fraction; at: number }[][]
  /** A split left nothing of a lot. */
  dropped: boolean
}
interface Fraction {
  top: bigint
  bottom: bigint
}

const bookOf = (walletId: bigint): Book => ({
  position: { ...emptyPosition(walletId, 10_001, USD), baseCurrency: 'EUR' },
  lots: [],
  closed: [],
  disposals: [],
})
const at = (index: number) => new Date(Date.UTC(2026, 0, 1) + index * 60_000)
const kept = (rate: Step['rate']) => ({ baseCurrency: 'EUR', rate, snapshotIds: ['1'] })

function run(steps: readonly Step[]): { books: [Book, Book]; truth: Truth; cashFlows: number } {
  const books: [Book, Book] = [bookOf(1000n), bookOf(1001n)]
  const truth: Truth = { cash: 0n, cashInBase: 0n, fifo: [[], []], dropped: false }
  steps.forEach((each, index) => applyStep(books, truth, each, index))
  return { books, truth, cashFlows: steps.length }
}

function applyStep(books: [Book, Book], truth: Truth, each: Step, index: number): void {
  const me = each.of === 0 ? 0 : 1
  const other = me === 0 ? 1 : 0
  const { quantity: held } = books[me].position
  const part = (held * each.share) / 1_000n
  const rate = minorRate(USD, 'EUR', each.rate)
  const common = { feeMinor: each.fee, at: at(index), journalKey: `${index}`, rate: kept(each.rate) }
  const mine = truth.fifo[me] ?? []
  if (each.kind === 'buy') {
    books[me] = buy(books[me], { ...common, quantity: each.quantity, costMinor: each.minor })
    truth.cash -= each.minor + each.fee
    truth.cashInBase -= inBase(each.minor, rate) + inBase(each.fee, rate)
    mine.push({ quantity: each.quantity, cost: { top: each.minor, bottom: 1n }, at: index })
  }
  if (each.kind === 'sell' && part > 0n) {
    books[me] = sell(books[me], { ...common, quantity: part, cashMinor: each.minor })
    truth.cash += each.minor - each.fee
    truth.cashInBase += inBase(each.minor, rate) - inBase(each.fee, rate)
    truthTake(mine, part)
  }
  if (each.kind === 'give' && part > 0n) {
    const given = give(books[me], part)
    books[me] = given.book
    books[other] = receive(books[other], given.parcel, `${index}`, null)
    truth.fifo[other] = [...(truth.fifo[other] ?? []), ...truthTake(mine, part)].toSorted(
      (a, b) => a.at - b.at,
    )
  }
  if (each.kind === 'split' && held > 0n) {
    const [to, from] = each.ratio as [bigint, bigint]
    const after = (held * to) / from
    if (after < 1_000_000n) return
    books[me] = multiply(books[me], after - held, {
      before: at(index),
      at: at(index),
      journalKey: `${index}`,
    })
    // Its lots are rounded by running totals, so the truth takes their quantities and keeps its own costs.
    const quantities = books[me].lots.map(({ quantity }) => quantity)
    truth.dropped ||= quantities.length !== mine.length
    mine.forEach((lot, place) => (lot.quantity = quantities[place] ?? 0n))
  }
}

function truthTake(lots: Truth['fifo'][number], quantity: bigint): Truth['fifo'][number] {
  const taken: Truth['fifo'][number] = []
  let needed = quantity
  for (const lot of lots) {
    const part = needed < lot.quantity ? needed : lot.quantity
    if (part === 0n) continue
    needed -= part
    const whole = lot.quantity
    const { top, bottom } = lot.cost
    taken.push({ ...lot, quantity: part, cost: { top: top * part, bottom: bottom * whole } })
    lot.quantity -= part
    lot.cost = { top: top * (whole - part), bottom: bottom * whole }
  }
  lots.splice(0, lots.length, ...lots.filter(({ quantity: left }) => left > 0n))
  return taken
}

const madeIn = ({ position }: Book, method: CostBasisMethod) => {
  const { priceMinor, feesMinor, base } = position[method].realised
  if (base === null) throw new Error('every rate was known')
  return {
    amount: priceMinor - feesMinor,
    inBase: base.priceMinor + base.currencyMinor - base.feesMinor,
  }
}

describe('positions', () => {
  test('lots add up to the quantity and to the cost of fifo, after any sequence of events', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        for (const { position, lots } of run(steps).books) {
          expect(lots.reduce((sum, { quantity }) => sum + quantity, 0n)).toBe(position.quantity)
          const { held } = position.fifo
          expect(lots.reduce((sum, { cost }) => sum + cost.costMinor, 0n)).toBe(held.costMinor)
          expect(lots.reduce((sum, { cost }) => sum + cost.feeMinor, 0n)).toBe(held.feeMinor)
          expect(lots.reduce((sum, { cost }) => sum + (cost.base?.costMinor ?? 0n), 0n)).toBe(
            held.base?.costMinor,
          )
          expect(lots.every(({ quantity, cost }) => quantity > 0n && cost.costMinor >= 0n)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('realised and unrealised profit are the cash that came less what went, plus the value, under both methods', () => {
    const present = fc.tuple(fc.bigInt(0n, 10n ** 10n), fc.bigInt(0n, 10n ** 10n), rateArbitrary)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), present, (steps, [first, second, today]) => {
        const { books, truth } = run(steps)
        const rate = minorRate(USD, 'EUR', today)
        for (const method of METHODS) {
          let [made, madeBase, value, valueBase] = [0n, 0n, 0n, 0n]
          books.forEach((book, index) => {
            const worth = book.position.quantity === 0n ? 0n : index === 0 ? first : second
            const unrealised = gainOf(book.position[method].held, { cashMinor: worth, feeMinor: 0n }, rate)
            const realised = madeIn(book, method)
            made += realised.amount + unrealised.priceMinor - unrealised.feesMinor
            const base = unrealised.base ?? { priceMinor: 0n, currencyMinor: 0n, feesMinor: 0n }
            madeBase += realised.inBase + base.priceMinor + base.currencyMinor - base.feesMinor
            value += worth
            valueBase += inBase(worth, rate)
          })
          expect(made).toBe(truth.cash + value)
          expect(madeBase).toBe(truth.cashInBase + valueBase)
        }
      }),
      { numRuns: 500 },
    )
  })

  test('fifo and average cost agree once everything is sold', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.bigInt(0n, 10n ** 10n),
        rateArbitrary,
        (steps, cash, rate) => {
          const onlyTrades = steps.filter(({ kind }) => kind !== 'give')
          for (const book of run(onlyTrades).books) {
            const { quantity } = book.position
            if (quantity === 0n) continue
            const sale = {
              quantity,
              cashMinor: cash,
              feeMinor: 7n,
              at: LAST,
              journalKey: 'last',
              rate: kept(rate),
            }
            const sold = sell(book, sale)
            expect(sold.lots).toEqual([])
            expect(madeIn(sold, 'fifo')).toEqual(madeIn(sold, 'average'))
          }
        },
      ),
      { numRuns: 300 },
    )
  })

  test('the cost of what is held is that of an exact fifo of fractions, but for the rounding of each cut', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { books, truth } = run(steps)
        books.forEach((book, index) => {
          // A reverse split can leave nothing of a lot, which the books then drop: no lot answers to another then.
          fc.pre(!truth.dropped)
          for (const [place, lot] of (truth.fifo[index] ?? []).entries()) {
            const kept = book.lots[place]
            expect(kept?.quantity).toBe(lot.quantity)
            const apart = (kept?.cost.costMinor ?? 0n) * lot.cost.bottom - lot.cost.top
            expect(apart <= 40n * lot.cost.bottom && -apart <= 40n * lot.cost.bottom).toBe(true)
          }
          expect(book.lots).toHaveLength(truth.fifo[index]?.length ?? 0)
        })
      }),
      { numRuns: 300 },
    )
  })

  test('a sale is split into price, currency and fees that add up to the difference in base', () => {
    const eur = (top: bigint, bottom: bigint) => kept(rateOf(top, bottom))
    const common = { at: LAST, journalKey: 'x' }
    const bought = buy(bookOf(1000n), {
      ...common,
      quantity: 10n ** 9n,
      costMinor: 10_000n,
      feeMinor: 100n,
      rate: eur(9n, 10n),
    })
    const sold = sell(bought, {
      ...common,
      quantity: 10n ** 9n,
      cashMinor: 12_000n,
      feeMinor: 100n,
      rate: eur(8n, 10n),
    })
    // 120 USD · 0.8 − 100 USD · 0.9 = 6 EUR: 16 by the price, −10 by the dollar; fees 0.90 and 0.80.
    expect(sold.position.fifo.realised).toEqual({
      priceMinor: 2_000n,
      feesMinor: 200n,
      base: { priceMinor: 1_600n, currencyMinor: -1_000n, feesMinor: 170n },
    })
  })

  test('an unknown rate makes profit in base unknown, and is forgotten when everything is sold', () => {
    const common = { quantity: 10n ** 9n, feeMinor: 0n, at: LAST, journalKey: 'x' }
    const unknown = buy(bookOf(1000n), { ...common, costMinor: 100n, rate: null })
    const both = buy(unknown, { ...common, costMinor: 100n, rate: kept(rateOf(1n, 1n)) })
    expect(both.position.average.held.base).toBeNull()
    const sold = sell(both, {
      ...common,
      quantity: 2n * 10n ** 9n,
      cashMinor: 300n,
      rate: kept(rateOf(1n, 1n)),
    })
    expect(sold.position.fifo.realised).toEqual({ priceMinor: 100n, feesMinor: 0n, base: null })
    expect(sold.position.fifo.held.base).toEqual({ costMinor: 0n, feeMinor: 0n })
  })

  test('after a change of base currency older amounts are in the new one, and said to be approximate', () => {
    const bought = buy(bookOf(1000n), {
      quantity: 10n ** 9n,
      costMinor: 10_000n,
      feeMinor: 0n,
      at: LAST,
      journalKey: 'x',
      rate: kept(rateOf(1n, 2n)),
    })
    const { position, lots } = rebased(bought, 'PLN', minorRate(978, 'PLN', rateOf(4n, 1n)))
    expect(position).toMatchObject({ baseCurrency: 'PLN', approximate: true })
    expect(position.fifo.held.base?.costMinor).toBe(20_000n)
    expect(lots[0]?.cost.base?.costMinor).toBe(20_000n)
    expect(rebased(bought, 'PLN', null).position.fifo.held.base).toBeNull()
  })

  test('a split known late gives what was sold since as shares without cost, and a lot too small leaves its cost', () => {
    const common = { feeMinor: 0n, journalKey: 'x', rate: null }
    const early = new Date('2026-01-01T00:00:00Z')
    const tiny = buy(bookOf(1000n), { ...common, quantity: 3n, costMinor: 5n, at: early })
    const both = buy(tiny, { ...common, quantity: 20n, costMinor: 50n, at: new Date(early.getTime() + 1) })
    const merged = multiply(both, -21n, { before: LAST, at: LAST, journalKey: 's' })
    expect(merged.lots.map(({ quantity, cost }) => [quantity, cost.costMinor])).toEqual([[2n, 55n]])
    const late = multiply(buy(bookOf(1001n), { ...common, quantity: 5n, costMinor: 9n, at: LAST }), 30n, {
      before: LAST,
      at: LAST,
      journalKey: 's',
    })
    expect(late.lots.map(({ origin, quantity, cost }) => [origin, quantity, cost.costMinor])).toEqual([
      ['trade', 5n, 9n],
      ['split', 30n, 0n],
    ])
  })
})
