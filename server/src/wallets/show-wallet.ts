import type { Balance, Wallet } from '@kantor/contract/api'
import { formatAmount, rateOf, worthDown } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { balances, PURPOSE } from '#ledger'
import type { RateBook } from '#market-data'
import type { AssetBook, WalletAsset } from './assets.ts'
import { readOpenedAssetIds } from './queries.ts'

/** The newest price of an instrument. */
export interface SharePrice {
  /** Of one share, in `currency`. */
  readonly price: Rate
  readonly currency: string
  readonly asOf: Date
  readonly stale: boolean
}

export interface ShowWalletDeps {
  readonly db: Queryable
  readonly assets: AssetBook
  readonly rates: RateBook
  /** Null: unknown. Without it the worth of shares is unknown. */
  readonly priceOf?: (instrumentId: number) => Promise<SharePrice | null>
}

interface Holding {
  available: bigint
  reserved: bigint
}

interface Valued extends Holding {
  readonly asset: WalletAsset
  /** In minor units of the base currency, rounded down; null when there is no rate. */
  readonly worth: bigint | null
  readonly rateAsOf: Date | null
  readonly stale: boolean
}

/**
 * What a wallet holds and what it is worth. Each line is rounded down and the total is the sum of the lines, so that
 * whoever adds up the page gets the same. An asset without a rate is named and left out: never worth 1, never 0.
 */
export async function showWallet(
  deps: ShowWalletDeps,
  walletId: bigint,
  baseCurrency: string,
): Promise<Wallet> {
  const [base, held] = await Promise.all([deps.assets.byCode(baseCurrency), readHoldings(deps.db, walletId)])
  if (base === null)
    throw new Error(`wallet ${walletId} has base currency ${baseCurrency}, which is not an asset`)
  const assets = await deps.assets.byIds([...held.keys()])
  const valuing = [...assets.values()].map((asset) =>
    valueHolding(deps, base, asset, held.get(asset.id) ?? { available: 0n, reserved: 0n }),
  )
  const valued = (await Promise.all(valuing)).toSorted((left, right) => inOrder(base, left, right))
  const known = valued.filter((each) => each.worth !== null)
  const times = known.flatMap(({ rateAsOf }) => (rateAsOf === null ? [] : [rateAsOf.getTime()]))
  const isHeld = ({ available, reserved }: Holding) => available + reserved !== 0n
  return {
    baseCurrency,
    worth: formatAmount(
      known.reduce((sum, { worth }) => sum + (worth ?? 0n), 0n),
      base.scale,
    ),
    unknown: valued.filter((each) => each.worth === null && isHeld(each)).map(({ asset }) => asset.code),
    ratesAsOf: times.length === 0 ? null : new Date(Math.min(...times)).toISOString(),
    stale: known.filter((each) => each.stale).map(({ asset }) => asset.code),
    balances: valued.map((each) => balanceBody(each, base)),
  }
}

/** By asset: what is in an account, and what the customer opened although nothing is in it. */
async function readHoldings(db: Queryable, walletId: bigint): Promise<Map<number, Holding>> {
  const [accounts, opened] = await Promise.all([balances(db, walletId), readOpenedAssetIds(db, walletId)])
  const held = new Map<number, Holding>(opened.map((assetId) => [assetId, { available: 0n, reserved: 0n }]))
  for (const { assetId, purpose, balance } of accounts) {
    // Somebody else's failed attempt may have opened an account; only what it holds makes it worth showing.
    if (balance === 0n) continue
    const holding = held.get(assetId) ?? { available: 0n, reserved: 0n }
    // What is not available is set aside: for an open order, or in a pocket.
    if (purpose === PURPOSE.available) holding.available += balance
    else holding.reserved += balance
    held.set(assetId, holding)
  }
  return held
}

async function valueHolding(
  deps: ShowWalletDeps,
  base: WalletAsset,
  asset: WalletAsset,
  holding: Holding,
): Promise<Valued> {
  const minor = holding.available + holding.reserved
  if (asset.id === base.id) return { ...holding, asset, worth: minor, rateAsOf: null, stale: false }
  const value =
    asset.kind === 'instrument' ? await shareValue(deps, base, asset) : rateValue(deps, base, asset)
  if (value === null) return { ...holding, asset, worth: null, rateAsOf: null, stale: false }
  // Nothing is worth nothing, whatever the rate.
  if (minor === 0n) return { ...holding, asset, worth: 0n, rateAsOf: null, stale: false }
  const worth = worthDown(minor, asset.scale, base.scale, value.rate)
  return { ...holding, asset, worth, rateAsOf: value.asOf, stale: value.stale }
}

interface UnitValue {
  readonly rate: Rate
  readonly asOf: Date
  readonly stale: boolean
}

function rateValue({ rates }: ShowWalletDeps, base: WalletAsset, asset: WalletAsset): UnitValue | null {
  const rate = rates.rate(asset.code, base.code)
  return rate.unknown ? null : rate
}

/** One share in the base currency: price times rate, exactly; as old as the older of the two. */
async function shareValue(
  deps: ShowWalletDeps,
  base: WalletAsset,
  asset: WalletAsset,
): Promise<UnitValue | null> {
  const share = (await deps.priceOf?.(asset.id)) ?? null
  if (share === null) return null
  if (share.currency === base.code) return { rate: share.price, asOf: share.asOf, stale: share.stale }
  const rate = deps.rates.rate(share.currency, base.code)
  if (rate.unknown) return null
  return {
    rate: rateOf(
      share.price.numerator * rate.rate.numerator,
      share.price.denominator * rate.rate.denominator,
    ),
    asOf: share.asOf < rate.asOf ? share.asOf : rate.asOf,
    stale: share.stale || rate.stale,
  }
}

/** The base currency, then by worth, then what has no known worth; by code where that is equal. */
function inOrder(base: WalletAsset, left: Valued, right: Valued): number {
  if (left.asset.id === base.id) return -1
  if (right.asset.id === base.id) return 1
  if (left.worth !== right.worth) {
    if (left.worth === null) return 1
    if (right.worth === null) return -1
    return left.worth > right.worth ? -1 : 1
  }
  return left.asset.code < right.asset.code ? -1 : 1
}

function balanceBody({ asset, available, reserved, worth }: Valued, base: WalletAsset): Balance {
  return {
    asset: asset.code,
    kind: asset.kind,
    name: asset.name,
    available: formatAmount(available, asset.scale),
    reserved: formatAmount(reserved, asset.scale),
    worth: worth === null ? null : formatAmount(worth, base.scale),
  }
}
