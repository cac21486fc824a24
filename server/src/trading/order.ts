/** Everything that was agreed when the order was accepted; none of it ever changes but `sweepAt`. */
export interface OrderTerms {
  /** A UUIDv7. */
  readonly id: string
  readonly walletId: bigint
  readonly instrumentId: number
  /** The instrument's currency, and its digits. */
  readonly currencyId: number
  readonly currencyScale: number
  /** What is paid from (buy) or received in (sell); often the same. */
  readonly settleId: number
  readonly settleScale: number
  readonly side: 'buy' | 'sell'
  readonly type: 'market' | 'limit' | 'stop'
  readonly timeInForce: 'day' | 'gtc' | 'ioc'
  /** Shares, scale 9. Either this or `notionalMinor`. */
  readonly quantity: bigint | null
  /** Of the settling currency: all that a purchase may take, or what a sale shall bring, fees included. */
  readonly notionalMinor: bigint | null
  /** Of the currency's major unit, in 10⁻¹⁸. */
  readonly limit18: bigint | null
  readonly stop18: bigint | null
  /** Set aside at acceptance: of the settling currency (buy) or shares (sell). */
  readonly reserveMinor: bigint
  readonly feeBps: number
  readonly feeMinimumMinor: bigint
  readonly acceptedAt: Date
  readonly acceptedSeq: bigint
  readonly queuedUntil: Date | null
  readonly expiresAt: Date | null
  /** When it is ended by the clock: all prices until its expiry have come by then. A wish to cancel brings it forward. */
  readonly sweepAt: Date | null
}

export type OrderStatus = 'new' | 'partiallyFilled' | 'filled' | 'cancelled' | 'expired'

/** Why an order ended unfilled; said to the customer. */
export type EndReason =
  | 'byCustomer'
  | 'notMarketable'
  | 'rateUnknown'
  | 'reserveUsed'
  | 'tooSmall'
  | 'sessionEnded'
  | 'split'
  | 'delisted'

export interface OrderState {
  readonly status: OrderStatus
  readonly filledQuantity: bigint
  /** Σ quantity · price, exactly: 10⁻²⁷ of the currency's major unit. */
  readonly valueExact: bigint
  /** The same as it was charged (rounded up) or paid out (rounded down), of the whole order. */
  readonly valueMinor: bigint
  readonly feeMinor: bigint
  /** In the settling currency, fees included: what left (buy) or arrived (sell). */
  readonly settledMinor: bigint
  readonly reserveLeftMinor: bigint
  readonly fills: number
  /** The last price that was held against it. */
  readonly lastSeq: bigint
  /** A stop that was crossed deals at the market from then on. */
  readonly triggered: boolean
  /** Since then its owner wants it back: only prices of before may still fill it. */
  readonly cancelAskedAt: Date | null
  readonly reason: EndReason | null
  readonly doneAt: Date | null
}

export interface Order extends OrderTerms, OrderState {}

/** As it is accepted. */
export function newOrder(terms: OrderTerms): Order {
  return {
    ...terms,
    status: 'new',
    filledQuantity: 0n,
    valueExact: 0n,
    valueMinor: 0n,
    feeMinor: 0n,
    settledMinor: 0n,
    reserveLeftMinor: terms.reserveMinor,
    fills: 0,
    lastSeq: terms.acceptedSeq,
    triggered: false,
    cancelAskedAt: null,
    reason: null,
    doneAt: null,
  }
}

/** What the reserve is of. */
export function reserveAssetOf(terms: Pick<OrderTerms, 'side' | 'settleId' | 'instrumentId'>): number {
  return terms.side === 'buy' ? terms.settleId : terms.instrumentId
}
