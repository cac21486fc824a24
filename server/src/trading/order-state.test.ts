import { rateOf } from '@kantor/contract/money'
import { seededRandom } from '#test/seeded-random'
import { describe, expect, test } from 'vitest'
import { decide } from './order-state.ts'
import type { OrderEvent } from './order-state.ts'
import { newOrder } from './order.ts'
import type { Order, OrderTerms } from './order.ts'

const ACCEPTED = new Date('2026-01-14T17:00:00Z')
const LATER = new Date('2026-01-14T17:00:01Z')
const USD = 10n ** 18n

const terms: OrderTerms = {
  id: '019bbd2e-0000-7000-8000-000000000000',
  walletId: 1_000n,
  instrumentId: 10_000,
  currencyId: 840,
  currencyScale: 2,
  settleId: 840,
  settleScale: 2,
  side: 'buy',
  type: 'market',
  timeInForce: 'day',
  quantity: 1_000_000_000n,
  notionalMinor: null,
  limit18: null,
  stop18: null,
  reserveMinor: 20_000n,
  feeBps: 25,
  feeMinimumMinor: 100n,
  acceptedAt: ACCEPTED,
  acceptedSeq: 7n,
  queuedUntil: null,
  expiresAt: new Date('2026-01-14T21:00:00Z'),
  sweepAt: new Date('2026-01-14T21:02:00Z'),
}
const orderOf = (change: Partial<OrderTerms>): Order => newOrder({ ...terms, ...change })
const priceOf = (change: Partial<Extract<OrderEvent, { kind: 'price' }>>): OrderEvent => ({
  kind: 'price',
  seq: 8n,
  asOf: LATER,
  price18: 100n * USD,
  last18: 100n * USD,
  sharesMax: null,
  settlement: 'same',
  at: LATER,
  ...change,
})

describe('an order that its owner wants back while prices of before may still come', () => {
  const askedAt = new Date('2026-01-14T17:00:02Z')
  const sweepAt = new Date('2026-01-14T17:45:02Z')
  const asked = decide(orderOf({}), { kind: 'askToCancel', at: askedAt, sweepAt })

  test('keeps what is set aside, and ends sooner by the clock, never later', () => {
    expect(asked).toMatchObject({
      order: { status: 'new', cancelAskedAt: askedAt, sweepAt },
      releasedMinor: 0n,
    })
    const late = new Date('2026-01-15T00:00:00Z')
    const { order } = decide(orderOf({}), { kind: 'askToCancel', at: askedAt, sweepAt: late })
    expect(order.sweepAt).toEqual(terms.sweepAt)
    const again = decide(asked.order, { kind: 'askToCancel', at: late, sweepAt: late })
    expect(again.order).toBe(asked.order)
  })

  test('is filled by a price of before the wish, and by none of after it', () => {
    const after = new Date(askedAt.getTime() + 1)
    expect(decide(asked.order, priceOf({ asOf: after })).order).toBe(asked.order)
    expect(decide(asked.order, priceOf({ asOf: askedAt })).order.status).toBe('filled')
  })

  test('ends as cancelled by its owner, with all of its reserve', () => {
    expect(decide(asked.order, { kind: 'expire', at: sweepAt })).toMatchObject({
      order: { status: 'cancelled', reason: 'byCustomer' },
      releasedMinor: 20_000n,
    })
  })
})

describe('a price leaves an order as it is', () => {
  test.each([
    ['that was known at acceptance', {}, { seq: 7n }],
    ['of the moment of acceptance', {}, { asOf: ACCEPTED }],
    ['of before the session that it waits for', { queuedUntil: new Date('2026-01-15T14:30:00Z') }, {}],
    ['of after its session', {}, { asOf: new Date('2026-01-14T21:00:01Z') }],
    ['above its limit', { type: 'limit', limit18: 99n * USD }, {}],
    ['below a sale’s limit', { side: 'sell', type: 'limit', limit18: 101n * USD }, {}],
    ['that does not cross its stop', { type: 'stop', stop18: 101n * USD }, {}],
    ['that cannot be converted', { settleId: 985 }, { settlement: 'unknown' }],
  ] as const)('%s', (_what, order, price) => {
    const before = orderOf(order)
    const { order: after, fill, releasedMinor } = decide(before, priceOf(price))
    expect(after).toBe(before)
    expect({ fill, releasedMinor }).toEqual({ fill: null, releasedMinor: 0n })
  })

  test('that is done', () => {
    const { order: done } = decide(orderOf({}), { kind: 'cancel', reason: 'byCustomer', at: LATER })
    expect(done).toMatchObject({ status: 'cancelled', reserveLeftMinor: 0n })
    for (const event of [priceOf({}), { kind: 'expire', at: LATER } as const]) {
      expect(decide(done, event)).toEqual({ order: done, fill: null, releasedMinor: 0n })
    }
  })
})

test('a stop that was crossed stays a market order, though it could not be dealt at that price', () => {
  const stop = orderOf({ type: 'stop', stop18: 101n * USD, settleId: 985 })
  const crossed = decide(stop, priceOf({ last18: 102n * USD, settlement: 'unknown' })).order
  expect(crossed.triggered).toBe(true)
  const settlement = { mid: rateOf(4n, 1n), marginBps: 40 }
  // 200.00 of the settling currency buy 49.80 less the fee of 1.00, at 100 a share.
  expect(decide(crossed, priceOf({ seq: 9n, settlement })).fill).toMatchObject({ quantity: 488_000_000n })
})

/** Everything that may not be, of any order at any price: in whole numbers of the exact products. */
function requireSound(before: Order, event: OrderEvent): Order {
  const { order, fill, releasedMinor } = decide(before, event)
  expect(order.filledQuantity).toBe(before.filledQuantity + (fill?.quantity ?? 0n))
  if (order.quantity !== null) expect(order.filledQuantity).toBeLessThanOrEqual(order.quantity)
  const used = order.side === 'buy' ? (fill?.settledMinor ?? 0n) : (fill?.quantity ?? 0n)
  expect(order.reserveLeftMinor + used + releasedMinor).toBe(before.reserveLeftMinor)
  if (order.doneAt !== null) expect(order.reserveLeftMinor).toBe(0n)
  if (order.doneAt === null) expect(releasedMinor).toBe(0n)
  // The house never pays for rounding.
  const exact = order.valueExact
  const charged = order.valueMinor * 10n ** 25n
  expect(order.side === 'buy' ? charged - exact : exact - charged).toBeGreaterThanOrEqual(0n)
  expect(order.side === 'buy' ? charged - exact : exact - charged).toBeLessThan(10n ** 25n)
  if (fill !== null && event.kind === 'price' && typeof event.settlement === 'object') {
    const { mid } = event.settlement
    const cash = fill.valueMinor + (order.side === 'buy' ? fill.feeMinor : -fill.feeMinor)
    // Worth at mid of what the customer gives is more than that of what they get.
    const [left, right] = [fill.settledMinor * mid.denominator, cash * mid.numerator]
    if (cash > 0n) expect(order.side === 'buy' ? left > right : left < right).toBe(true)
  }
  return order
}

test('no order is ever filled beyond itself or its reserve, and everything set aside is used or released once', () => {
  const random = seededRandom()
  for (let round = 0; round < 3_000; round += 1) {
    const side = random.pick(['buy', 'sell'] as const)
    const isNotional = random.int(0, 1) === 1
    const amount = random.bigint(1n, 10n ** BigInt(random.int(1, 12)))
    const converts = random.int(0, 1) === 1
    let order = orderOf({
      side,
      quantity: isNotional ? null : amount,
      notionalMinor: isNotional ? amount : null,
      reserveMinor: side === 'sell' && !isNotional ? amount : random.bigint(1n, 10n ** 12n),
      timeInForce: random.pick(['day', 'gtc', 'ioc'] as const),
      settleId: converts ? 985 : 840,
      type: 'market',
    })
    const sharesMax = random.pick([null, 1n, random.bigint(1n, 10n ** 10n)])
    for (let seq = 8n; seq < 16n; seq += 1n) {
      const price18 = random.bigint(1n, 10n ** BigInt(random.int(1, 11))) * 10n ** 9n
      const settlement = converts
        ? {
            mid: rateOf(random.bigint(1n, 10_000n), random.bigint(1n, 10_000n)),
            marginBps: random.int(1, 500),
          }
        : ('same' as const)
      order = requireSound(order, priceOf({ seq, price18, last18: price18, sharesMax, settlement }))
    }
    requireSound(order, { kind: 'expire', at: LATER })
  }
})
