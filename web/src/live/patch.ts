import type {
  Instrument,
  Order,
  Orders,
  Rates,
  StockPrice,
  StreamEventData,
  Wallet,
} from '@kantor/contract/api'

/** What pages hold, changed by what is told. Nothing else of it changes, and nothing at all if it does not concern them. */

export function walletWith(wallet: Wallet, { balances }: StreamEventData<'balances'>): Wallet {
  const told = new Map(balances.map((balance) => [balance.asset, balance]))
  return {
    ...wallet,
    balances: wallet.balances.map((balance) => ({ ...balance, ...told.get(balance.asset) })),
  }
}

const isDone = ({ status }: Order) => status !== 'new' && status !== 'partiallyFilled'

/** The list of open orders, newest first. */
export function openOrdersWith(orders: Orders, told: Order): Orders {
  const others = orders.items.filter(({ id }) => id !== told.id)
  if (isDone(told)) return { ...orders, items: others }
  if (others.length === orders.items.length) return { ...orders, items: [told, ...others] }
  return { ...orders, items: orders.items.map((order) => (order.id === told.id ? told : order)) }
}

function priceOf(told: StreamEventData<'price'>, nowMs: number): StockPrice {
  const { instrument: _id, ticker: _ticker, ...price } = told
  return { ...price, ageSeconds: secondsSince(price.asOf, nowMs) }
}

export function instrumentWith<Shown extends Pick<Instrument, 'id' | 'price'>>(
  instrument: Shown,
  told: StreamEventData<'price'>,
  nowMs: number,
): Shown {
  return instrument.id === told.instrument ? { ...instrument, price: priceOf(told, nowMs) } : instrument
}

export function instrumentsWith<List extends { readonly items: readonly Instrument[] }>(
  list: List,
  told: StreamEventData<'price'>,
  nowMs: number,
): List {
  if (!list.items.some(({ id }) => id === told.instrument)) return list
  return { ...list, items: list.items.map((instrument) => instrumentWith(instrument, told, nowMs)) }
}

export function ratesWith(rates: Rates, told: StreamEventData<'rate'>, nowMs: number): Rates {
  const { base, ...rate } = told
  if (rates.base !== base) return rates
  const ageSeconds = secondsSince(rate.asOf, nowMs)
  return {
    ...rates,
    items: rates.items.map((held) => (held.counter === rate.counter ? { ...rate, ageSeconds } : held)),
  }
}

function secondsSince(moment: string, nowMs: number): number {
  return Math.max(0, Math.floor((nowMs - Date.parse(moment)) / 1000))
}
