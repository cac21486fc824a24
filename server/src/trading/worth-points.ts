import { currencyByCode, parseSignedAmount } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { showWallet } from '#wallets'
import type { ShowWalletDeps } from '#wallets'

export interface WorthDeps extends Omit<ShowWalletDeps, 'db'> {
  readonly db: Queryable
  readonly clock: () => Date
  readonly baseCurrenciesOf: (walletIds: readonly bigint[]) => Promise<ReadonlyMap<bigint, string>>
}

/** A wallet's worth at a moment, in minor units of the currency that its owner reckoned in then. */
export interface WorthPoint {
  readonly at: Date
  readonly baseCurrency: string
  readonly minor: bigint
  /** Something was held whose worth was unknown, and is left out. */
  readonly incomplete: boolean
}

const WALLETS_PER_READ = 200
const WALLETS_AT_ONCE = 4
const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Hours are kept for as long as a chart shows them. */
const HOURS_KEPT_DAYS = 8

/**
 * Writes down what every wallet is worth in this hour, from balances alone: a wallet's past is never gone through.
 * A second run within the hour adds those that are missing.
 */
export async function recordWorth(deps: WorthDeps, signal?: AbortSignal): Promise<void> {
  const at = new Date(Math.floor(deps.clock().getTime() / HOUR_MS) * HOUR_MS)
  let afterWallet = 999n
  for (;;) {
    const page = await readWallets(deps.db, afterWallet, WALLETS_PER_READ)
    const last = page.at(-1)
    if (last === undefined || signal?.aborted === true) break
    const missing = await withoutPoint(deps.db, page, at)
    const bases = await deps.baseCurrenciesOf(missing)
    for (let first = 0; first < missing.length; first += WALLETS_AT_ONCE) {
      const some = missing.slice(first, first + WALLETS_AT_ONCE)
      await Promise.all(some.map((walletId) => recordOne(deps, walletId, bases.get(walletId), at)))
    }
    afterWallet = last
  }
  await thinOut(deps.db, deps.clock())
}

async function recordOne(
  deps: WorthDeps,
  walletId: bigint,
  baseCurrency: string | undefined,
  at: Date,
): Promise<void> {
  // A wallet whose owner is gone has nobody who reckons.
  if (baseCurrency === undefined) return
  const { minor, incomplete } = await worthNow(deps, walletId, baseCurrency)
  await deps.db.query(
    `insert into trading.worth_points (wallet_id, at, base_currency, worth_minor, incomplete)
     values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [walletId, at, baseCurrency, minor, incomplete],
  )
}

export async function worthNow(
  deps: Omit<ShowWalletDeps, 'db'> & { readonly db: Queryable },
  walletId: bigint,
  baseCurrency: string,
): Promise<{ minor: bigint; incomplete: boolean }> {
  const { worth, unknown } = await showWallet(deps, walletId, baseCurrency)
  const scale = currencyByCode(baseCurrency)?.scale
  const parsed = scale === undefined ? null : parseSignedAmount(worth, scale)
  if (parsed === null || !parsed.ok) throw new Error(`a worth of ${worth} ${baseCurrency} cannot be read`)
  return { minor: parsed.minor, incomplete: unknown.length > 0 }
}

/** Wallets that have an account, in order: one look at the primary key for each, however many accounts it has. */
async function readWallets(q: Queryable, afterWallet: bigint, limit: number): Promise<bigint[]> {
  const { rows } = await q.query<{ id: bigint }>(
    `with recursive wallet (id) as (
       (select id >> 27 from ledger.accounts where id >= ($1::bigint + 1) << 27 order by id limit 1)
       union all
       select (select accounts.id >> 27 from ledger.accounts
                where accounts.id >= (wallet.id + 1) << 27 order by accounts.id limit 1)
         from wallet where wallet.id is not null
     )
     select id from wallet where id is not null limit $2`,
    [afterWallet, limit],
  )
  return rows.map(({ id }) => id)
}

async function withoutPoint(q: Queryable, walletIds: readonly bigint[], at: Date): Promise<bigint[]> {
  const { rows } = await q.query<{ id: bigint }>(
    `select id from unnest($1::bigint[]) wanted (id)
      where not exists (select from trading.worth_points where wallet_id = wanted.id and worth_points.at = $2)`,
    [walletIds, at],
  )
  return rows.map(({ id }) => id)
}

/** Of days past, the first point stays. Each run looks at two days only, since earlier ones did the rest. */
async function thinOut(q: Queryable, now: Date): Promise<void> {
  const until = new Date(now.getTime() - HOURS_KEPT_DAYS * DAY_MS)
  await q.query(
    `delete from trading.worth_points point
      where at < $1 and at >= $2
        and exists (select from trading.worth_points earlier
                     where earlier.wallet_id = point.wallet_id and earlier.at < point.at
                       and earlier.at >= date_trunc('day', point.at, 'UTC'))`,
    [until, new Date(until.getTime() - 2 * DAY_MS)],
  )
}

const POINTS_MAX = 4_000

/** Oldest first; one a day where `daily`. */
export async function readWorthPoints(
  q: Queryable,
  walletId: bigint,
  from: Date,
  daily: boolean,
): Promise<WorthPoint[]> {
  const { rows } = await q.query<{
    at: Date
    base_currency: string
    worth_minor: bigint
    incomplete: boolean
  }>(
    `select distinct on (${daily ? `date_trunc('day', at, 'UTC')` : 'at'}) at, base_currency, worth_minor,
            incomplete
       from trading.worth_points where wallet_id = $1 and at >= $2
      order by ${daily ? `date_trunc('day', at, 'UTC'), at` : 'at'} limit $3`,
    [walletId, from, POINTS_MAX],
  )
  return rows.map(({ at, base_currency, worth_minor, incomplete }) => ({
    at,
    baseCurrency: base_currency,
    minor: worth_minor,
    incomplete,
  }))
}
