import type { InstrumentBook, PriceBook } from '#market-data'
import type { SharePrice } from '#wallets'

/** What the wallets room counts shares with. */
export function sharePrices({
  prices,
  instruments,
}: {
  readonly prices: PriceBook
  readonly instruments: InstrumentBook
}) {
  return async (instrumentId: number): Promise<SharePrice | null> => {
    const [price, instrument] = [prices.price(instrumentId), await instruments.byId(instrumentId)]
    if (price.unknown || instrument === null) return null
    return { price: price.last, currency: instrument.currency, asOf: price.asOf, stale: price.stale }
  }
}
