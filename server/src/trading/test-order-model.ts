/**
 * What orders should do, told again in the simplest way: decimal strings read into whole numbers, one loop, no batches,
 * no database. Written apart from the room's code, and shares none of it, so that both can be compared.
 */

export interface ModelOrder {
  readonly id: string
  readonly customer: number
  readonly side: 'buy' | 'sell'
  readonly type: 'market' | 'limit' | 'stop'
  readonly timeInForce: 'day' | 'gtc' | 'ioc'
  /** What is paid from or received in, always with two digits; prices and fees are in dollars. */
  readonly settle: 'USD' | 'EUR'
  /** In 10⁻⁹. */
  readonly quantity: bigint | null
  /** Cents of what it settles in. */
  readonly notional: bigint | null
  /** In 10⁻⁶. */
  readonly trigger: bigint
  /** Cents or 10⁻⁹ shares, as the acceptance said it. */
  reserveLeft: bigint
  filled: bigint
  /** Shares times price, in 10⁻¹⁹: of quantities in 10⁻⁹ and prices in 10⁻¹⁰. */
  worth: bigint
  cost: bigint
  fee: bigint
  settled: bigint
  fills: number
  crossed: boolean
  status: 'new' | 'partiallyFilled' | 'filled' | 'cancelled' | 'expired'
}

/** Prices in 10⁻⁶. */
export interface ModelPrice {
  readonly last: bigint
  readonly bid: bigint | null
  readonly ask: bigint | null
  /** Dollars for a euro, in 10⁻⁴, and what the house takes of it. */
  readonly euro: { readonly rate: bigint; readonly marginBps: bigint }
}

const BPS = 10_000n
const ONE_EURO = 10_000n

const FEE_BPS = 25n
const FEE_LEAST = 100n
const CENT = 10n ** 17n

const up = (numerator: bigint, denominator: bigint) => (numerator + denominator - 1n) / denominator

export class OrderModel {
  readonly cash = { USD: [] as bigint[], EUR: [] as bigint[] }
  readonly shares: bigint[] = []
  readonly orders: ModelOrder[] = []
  feesTaken = 0n
  sharesPerPrice: bigint | null = null

  add(order: ModelOrder): void {
    this.orders.push(order)
    this.#move(order, -order.reserveLeft)
  }

  cancel(order: ModelOrder, status: 'cancelled' | 'expired' | 'filled'): void {
    this.#move(order, order.reserveLeft)
    order.reserveLeft = 0n
    order.status = status
  }

  isOpen({ status }: ModelOrder): boolean {
    return status === 'new' || status === 'partiallyFilled'
  }

  price(price: ModelPrice): void {
    for (const order of this.orders.filter((each) => this.isOpen(each))) this.#meet(order, price)
  }

  /** Old shares become new ones; what is less than a whole billionth is gone, its worth being less than a cent. */
  split({ from, to }: { readonly from: bigint; readonly to: bigint }): void {
    for (const order of this.orders) if (this.isOpen(order)) this.cancel(order, 'cancelled')
    for (const [customer, held] of this.shares.entries()) this.shares[customer] = (held * to) / from
  }

  #move(order: ModelOrder, amount: bigint): void {
    const held = order.side === 'buy' ? this.cash[order.settle] : this.shares
    held[order.customer] = (held[order.customer] ?? 0n) + amount
  }

  #meet(order: ModelOrder, { last, bid, ask, euro }: ModelPrice): void {
    const isBuy = order.side === 'buy'
    // 10⁻¹⁰
    const price = isBuy
      ? ask === null
        ? last * 10_005n
        : ask * 10_000n
      : bid === null
        ? last * 9_995n
        : bid * 10_000n
    if (order.type === 'stop' && (isBuy ? last >= order.trigger : last <= order.trigger)) order.crossed = true
    const trigger = order.trigger * 10_000n
    const fits =
      order.type === 'market' ||
      (order.type === 'stop' ? order.crossed : isBuy ? price <= trigger : price >= trigger)
    if (fits && isBuy) this.#buy(order, price, euro)
    if (fits && !isBuy) this.#sell(order, price, euro)
    if (order.timeInForce === 'ioc' && this.isOpen(order)) this.cancel(order, 'cancelled')
  }

  /** Tries the greatest number of shares by halving, instead of solving for it. */
  #buy(order: ModelOrder, price: bigint, { rate, marginBps }: ModelPrice['euro']): void {
    const isEuro = order.settle === 'EUR'
    const kept = BPS - marginBps
    const budget = isEuro ? (order.reserveLeft * rate * kept) / (ONE_EURO * BPS) : order.reserveLeft
    const costOf = (quantity: bigint) => {
      const cost = up(order.worth + quantity * price, CENT)
      return { cost, fee: cost === 0n ? 0n : this.#feeOf(cost) }
    }
    const pays = (quantity: bigint) => {
      const { cost, fee } = costOf(quantity)
      return cost - order.cost + fee - order.fee <= budget
    }
    let [low, high] = [0n, 10n ** 14n]
    while (low < high) {
      const middle = (low + high + 1n) / 2n
      if (pays(middle)) low = middle
      else high = middle - 1n
    }
    const affordable = low
    let quantity = order.quantity === null ? affordable : order.quantity - order.filled
    if (quantity > affordable) quantity = affordable
    if (this.sharesPerPrice !== null && quantity > this.sharesPerPrice) quantity = this.sharesPerPrice
    if (quantity === 0n)
      return this.cancel(order, order.notional !== null && order.fills > 0 ? 'filled' : 'cancelled')
    const { cost, fee } = costOf(quantity)
    const dollars = cost - order.cost + fee - order.fee
    const paid = isEuro ? up(dollars * ONE_EURO * BPS, rate * kept) : dollars
    order.reserveLeft -= paid
    order.settled += paid
    this.feesTaken += fee - order.fee
    this.shares[order.customer] = (this.shares[order.customer] ?? 0n) + quantity
    this.#note(order, quantity, price, cost, fee)
    if (order.quantity === null ? quantity === affordable : order.filled === order.quantity)
      return this.cancel(order, 'filled')
    if (quantity === affordable) this.cancel(order, 'cancelled')
  }

  #sell(order: ModelOrder, price: bigint, { rate, marginBps }: ModelPrice['euro']): void {
    const isEuro = order.settle === 'EUR'
    const kept = BPS - marginBps
    const after = (quantity: bigint) => {
      const value = (order.worth + quantity * price) / CENT
      const due = (value === 0n ? 0n : this.#feeOf(value)) - order.fee
      const fee = due > value - order.cost ? value - order.cost : due
      return { value, fee, net: value - order.cost - fee }
    }
    let wanted = order.quantity === null ? order.reserveLeft : order.quantity - order.filled
    if (order.notional !== null) {
      const missing = order.notional - order.settled
      const needed = isEuro ? up(missing * rate * BPS, ONE_EURO * kept) : missing
      const enough = (quantity: bigint) => after(quantity).net >= needed
      let [low, high] = [1n, 10n ** 14n]
      while (low < high) {
        const middle = (low + high) / 2n
        if (enough(middle)) high = middle
        else low = middle + 1n
      }
      wanted = low
    }
    let quantity = wanted < order.reserveLeft ? wanted : order.reserveLeft
    if (this.sharesPerPrice !== null && quantity > this.sharesPerPrice) quantity = this.sharesPerPrice
    const { value, fee, net } = after(quantity)
    const got = isEuro && net > 0n ? (net * ONE_EURO * kept) / (rate * BPS) : net
    if (got <= 0n) return this.cancel(order, 'cancelled')
    order.reserveLeft -= quantity
    order.settled += got
    this.feesTaken += fee
    const held = this.cash[order.settle]
    held[order.customer] = (held[order.customer] ?? 0n) + got
    this.#note(order, quantity, price, value, order.fee + fee)
    const isDone = order.notional === null ? order.filled === order.quantity : order.settled >= order.notional
    if (isDone) return this.cancel(order, 'filled')
    if (order.reserveLeft === 0n) this.cancel(order, 'cancelled')
  }

  #note(order: ModelOrder, quantity: bigint, price: bigint, cost: bigint, fee: bigint): void {
    order.filled += quantity
    order.worth += quantity * price
    order.cost = cost
    order.fee = fee
    order.fills += 1
    order.status = 'partiallyFilled'
  }

  #feeOf(cost: bigint): bigint {
    const fee = up(cost * FEE_BPS, 10_000n)
    return fee > FEE_LEAST ? fee : FEE_LEAST
  }
}
