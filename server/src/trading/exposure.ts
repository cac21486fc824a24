import type { Queryable } from '#db'
import { accountParts, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import type { PriceBook } from '#market-data'

/** What the house owes its customers in one instrument: what they hold is what its brokerage account is short of. */
export interface InstrumentExposure {
  readonly instrumentId: number
  /** Shares, scale 9: above zero when customers hold that many. */
  readonly heldByCustomers: bigint
  /** Last price, exactly, as text; null while unknown. */
  readonly price: string | null
}

const INSTRUMENT_ID_MIN = 10_000

/** Of every instrument that was ever dealt in, by id: for the back office. One range of the accounts' key. */
export async function houseExposure(
  q: Queryable,
  prices: Pick<PriceBook, 'price'>,
): Promise<InstrumentExposure[]> {
  const { rows } = await q.query<{ id: bigint; balance: bigint }>({
    name: 'trading.exposure',
    text: `
      select id, balance from ledger.accounts
      where id >= $1 and id < $2 and id & 127 = $3 and balance <> 0 order by id`,
    values: [
      (HOUSE_WALLET_ID << 27n) | BigInt(INSTRUMENT_ID_MIN << 7),
      (HOUSE_WALLET_ID + 1n) << 27n,
      PURPOSE.brokerage,
    ],
  })
  return rows.map(({ id, balance }) => {
    const { assetId } = accountParts(id)
    const price = prices.price(assetId)
    return { instrumentId: assetId, heldByCustomers: -balance, price: price.unknown ? null : price.lastText }
  })
}
