import type { PriceDraft } from './judge-price.ts'
import type { MarketHours } from './market-hours.ts'
import type { StreamEvent, Timeliness } from './providers/stock-provider.ts'
import type { CandleDraft } from './judge-candle.ts'

const MIC = 'XNYS'

export interface TakenEvents {
  readonly prices: readonly PriceDraft[]
  readonly minutes: readonly CandleDraft[]
}

/**
 * What has come in since it was last emptied: the newest price of each instrument, and every minute. So however
 * fast prices come, what is written is bounded by how often it is emptied.
 */
export interface StreamIntake {
  take(events: readonly StreamEvent[], ids: ReadonlyMap<string, number>): void
  empty(): TakenEvents
  /** Minutes that wait. */
  waiting(): number
}

export function streamIntake(hours: Pick<MarketHours, 'session'>, timeliness: Timeliness): StreamIntake {
  const prices = new Map<number, PriceDraft>()
  const minutes: CandleDraft[] = []
  return {
    take: (events, ids) => {
      for (const event of events) {
        const instrumentId = ids.get(tickerOf(event))
        // Its topic was given up while this was on its way.
        if (instrumentId === undefined) continue
        if (event.kind === 'bar' && event.span === 'minute') minutes.push({ ...event.bar, instrumentId })
        const price = priceOf(event)
        if (price === null || !hours.session(MIC, price.asOf).open) continue
        const held = prices.get(instrumentId)
        if (held !== undefined && held.asOf > price.asOf) continue
        prices.set(instrumentId, { instrumentId, ...price, bid: null, ask: null, timeliness })
      }
    },
    empty: () => {
      const taken = { prices: [...prices.values()], minutes: minutes.splice(0) }
      prices.clear()
      return taken
    },
    waiting: () => minutes.length,
  }
}

function tickerOf(event: StreamEvent): string {
  if (event.kind === 'bar') return event.bar.ticker
  return event.kind === 'trade' ? event.trade.ticker : event.quote.ticker
}

/**
 * A bar's close was dealt by its last millisecond. Not by its end: that is the first moment of the next bar, and
 * 9:30:00 would make a price of the session of one from before it.
 */
function priceOf(event: StreamEvent): { readonly last: string; readonly asOf: Date } | null {
  if (event.kind === 'trade') return { last: event.trade.price, asOf: event.trade.asOf }
  if (event.kind === 'quote') return null
  return { last: event.bar.close, asOf: new Date(event.endAt.getTime() - 1) }
}
