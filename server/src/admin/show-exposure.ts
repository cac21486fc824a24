import type { Exposure } from '@kantor/contract/api'
import { currencyByCode, formatAmount, INSTRUMENT_SCALE, parseRate, worthDown } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { balances, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import type { InstrumentBook, PriceBook } from '#market-data'
import { houseExposure } from '#trading'
import type { AssetBook } from '#wallets'

export interface ExposureDeps {
  readonly db: Queryable
  readonly assets: AssetBook
  readonly prices: PriceBook
  readonly instruments: InstrumentBook
}

/** What the house has in its own accounts, and which shares it owes. */
export async function showExposure(deps: ExposureDeps): Promise<Exposure> {
  const [currencies, instruments] = await Promise.all([currencyExposure(deps), instrumentExposure(deps)])
  return { currencies, instruments }
}

const PURPOSES = ['conversion', 'fees', 'rounding', 'funding', 'brokerage'] as const

async function currencyExposure({ db, assets }: ExposureDeps): Promise<Exposure['currencies']> {
  const accounts = await balances(db, HOUSE_WALLET_ID)
  const byAsset = Map.groupBy(accounts, ({ assetId }) => assetId)
  const known = await assets.byIds([...byAsset.keys()])
  return [...byAsset]
    .flatMap(([assetId, held]) => {
      const asset = known.get(assetId)
      if (asset === undefined)
        throw new Error(`the house has asset ${assetId}, which is not among the assets`)
      if (asset.kind === 'instrument' || held.every(({ balance }) => balance === 0n)) return []
      const inPurpose = (name: (typeof PURPOSES)[number]) =>
        formatAmount(held.find(({ purpose }) => purpose === PURPOSE[name])?.balance ?? 0n, asset.scale)
      return [
        {
          asset: asset.code,
          conversion: inPurpose('conversion'),
          fees: inPurpose('fees'),
          rounding: inPurpose('rounding'),
          funding: inPurpose('funding'),
          brokerage: inPurpose('brokerage'),
        },
      ]
    })
    .toSorted((left, right) => (left.asset < right.asset ? -1 : 1))
}

async function instrumentExposure({
  db,
  prices,
  instruments,
}: ExposureDeps): Promise<Exposure['instruments']> {
  const exposures = await houseExposure(db, prices)
  return Promise.all(
    exposures.map(async ({ instrumentId, heldByCustomers, price }) => {
      const instrument = await instruments.byId(instrumentId)
      if (instrument === null)
        throw new Error(`customers hold instrument ${instrumentId}, which nobody knows`)
      const { ticker, name, currency } = instrument
      return {
        instrument: { id: String(instrumentId), ticker, name },
        heldByCustomers: formatAmount(heldByCustomers, INSTRUMENT_SCALE),
        price,
        currency,
        value: valueOf(heldByCustomers, price, currency),
      }
    }),
  )
}

function valueOf(shares: bigint, price: string | null, currency: string): string | null {
  if (price === null) return null
  const [parsed, known] = [parseRate(price), currencyByCode(currency)]
  if (!parsed.ok || known === undefined) throw new Error(`a price of ${price} ${currency} cannot be read`)
  return formatAmount(worthDown(shares, INSTRUMENT_SCALE, known.scale, parsed.rate), known.scale)
}
