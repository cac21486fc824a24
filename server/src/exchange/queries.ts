import type { Queryable, Tx } from '#db'

/** One pair, one way, at one version of its rate. */
export interface DealtPair {
  readonly fromAssetId: number
  readonly toAssetId: number
  readonly rateVersion: string
}

/** Of the advisory locks with two numbers; nothing else uses these first ones. */
const LOCK_OF_CUSTOMERS = 1
const LOCK_OF_PAIRS = 2

/**
 * Makes the quotes of one customer, and those of one pair, wait for each other until the tx ends: what is counted
 * below stays true until the quote is in. First customers then pairs, everywhere, so nobody waits in a circle.
 * @param commit `unflushed` for a tx that makes an offer and nothing else: a quote lost in a crash is a quote nobody
 *   can use, and a conversion that used one flushes all that was written before it
 */
export async function lockQuoting(
  tx: Tx,
  walletId: bigint,
  pair: DealtPair,
  commit: 'flushed' | 'unflushed',
): Promise<void> {
  await tx.query({
    name: 'exchange.lock_quoting',
    text: `select set_config('synchronous_commit', coalesce($5, current_setting('synchronous_commit')), true),
                  pg_advisory_xact_lock($1, hashint8($2)), pg_advisory_xact_lock($3, hashtext($4))`,
    values: [
      LOCK_OF_CUSTOMERS,
      walletId,
      LOCK_OF_PAIRS,
      `${pair.fromAssetId}/${pair.toAssetId}`,
      commit === 'unflushed' ? 'off' : null,
    ],
  })
}

/** The same for several pairs whose conversions are counted as they are posted: in the order of their numbers. */
export async function lockPairs(tx: Tx, pairs: readonly DealtPair[]): Promise<void> {
  const names = pairs.map(({ fromAssetId, toAssetId }) => `${fromAssetId}/${toAssetId}`)
  await tx.query({
    name: 'exchange.lock_pairs',
    text: `select pg_advisory_xact_lock($1, number)
             from (select distinct hashtext(name) as number from unnest($2::text[]) names (name) order by 1) pair`,
    values: [LOCK_OF_PAIRS, names],
  })
}

/**
 * Moves quotes of the pair that expired before this moment out of the open ones: into what was dealt, if the ledger
 * has a journal that consumed them. Each quote is visited once, so that counting costs the same all day.
 */
export async function settleQuotes(tx: Tx, pair: DealtPair, expiredBefore: Date, now: Date): Promise<void> {
  await tx.query({
    name: 'exchange.settle_quotes',
    text: `
      with settled as (
        update exchange.quotes quote
        set outcome = case
          when exists (select from ledger.journals where consumes = 'quote:' || quote.id) then 'used' else 'lapsed'
        end
        where from_asset_id = $1 and to_asset_id = $2 and rate_version = $3 and outcome = 'open' and expires_at < $4
        returning wallet_id, exposure_minor, outcome
      ), dealt as (
        select counted.wallet_id, sum(exposure_minor) as minor
        from settled cross join lateral (values (settled.wallet_id), (0)) counted (wallet_id)
        where outcome = 'used' group by counted.wallet_id
      )
      insert into exchange.exposures (from_asset_id, to_asset_id, rate_version, wallet_id, dealt_minor, changed_at)
      select $1, $2, $3, wallet_id, minor, $5 from dealt
      on conflict (from_asset_id, to_asset_id, rate_version, wallet_id)
      do update set dealt_minor = exposures.dealt_minor + excluded.dealt_minor, changed_at = excluded.changed_at`,
    values: [pair.fromAssetId, pair.toAssetId, pair.rateVersion, expiredBefore, now],
  })
}

/**
 * What is dealt or may still be, in euro cents, by some customers and by all: by quotes that are open, whether used or
 * not, and by what is settled.
 */
export async function readPairExposure(
  q: Queryable,
  pair: DealtPair,
  walletIds: readonly bigint[],
): Promise<{ own: ReadonlyMap<bigint, bigint>; overall: bigint }> {
  const { rows } = await q.query<{ wallet_id: bigint | null; minor: string; of_all: string }>({
    name: 'exchange.pair_exposure',
    text: `
      with counted as (
        select wallet_id, exposure_minor::numeric as minor, true as of_all from exchange.quotes
        where from_asset_id = $1 and to_asset_id = $2 and rate_version = $3 and outcome = 'open'
        union all
        select wallet_id, dealt_minor, wallet_id = 0 from exchange.exposures
        where from_asset_id = $1 and to_asset_id = $2 and rate_version = $3
          and (wallet_id = 0 or wallet_id = any ($4::bigint[]))
      )
      select case when wallet_id = any ($4::bigint[]) then wallet_id end as wallet_id, sum(minor) as minor,
             coalesce(sum(minor) filter (where of_all), 0) as of_all
      from counted group by 1`,
    values: [pair.fromAssetId, pair.toAssetId, pair.rateVersion, walletIds],
  })
  return {
    own: new Map(rows.flatMap((row) => (row.wallet_id === null ? [] : [[row.wallet_id, BigInt(row.minor)]]))),
    overall: rows.reduce((sum, row) => sum + BigInt(row.of_all), 0n),
  }
}

/** One conversion more that was dealt, by its customer and by everybody (wallet 0). */
export async function addDealt(
  tx: Tx,
  { walletId, fromAssetId, toAssetId, rateVersion }: DealtPair & { readonly walletId: bigint },
  minor: bigint,
  now: Date,
): Promise<void> {
  await tx.query({
    name: 'exchange.add_dealt',
    text: `
      insert into exchange.exposures (from_asset_id, to_asset_id, rate_version, wallet_id, dealt_minor, changed_at)
      select $1, $2, $3, wallet_id, $5, $6 from (values ($4::bigint), (0)) counted (wallet_id)
      on conflict (from_asset_id, to_asset_id, rate_version, wallet_id)
      do update set dealt_minor = exposures.dealt_minor + excluded.dealt_minor, changed_at = excluded.changed_at`,
    values: [fromAssetId, toAssetId, rateVersion, walletId, minor, now],
  })
}

/** The customer's quotes that can still be used, and when the first of them ends; null when there is none. */
export async function readLiveQuotes(
  q: Queryable,
  walletId: bigint,
  now: Date,
): Promise<{ count: number; firstExpiresAt: Date | null }> {
  const { rows } = await q.query<{ count: bigint; first_expires_at: Date | null }>({
    name: 'exchange.live_quotes',
    text: `
      select count(*) as count, min(expires_at) as first_expires_at from exchange.quotes quote
      where wallet_id = $1 and expires_at > $2
        and not exists (select from ledger.journals where consumes = 'quote:' || quote.id)`,
    values: [walletId, now],
  })
  const [row] = rows
  return { count: Number(row?.count ?? 0), firstExpiresAt: row?.first_expires_at ?? null }
}
