import type { Queryable, Tx } from '#db'
import type { Jump, SaneRate } from './judge-draft.ts'

/** A snapshot with its rates as the database holds them: exact decimal text. */
export interface HeldSnapshot {
  readonly id: bigint
  readonly provider: string
  readonly asOf: Date
  readonly fetchedAt: Date
  readonly rates: ReadonlyMap<string, HeldRate>
}

export interface HeldRate {
  readonly rate: string
  readonly per: string
}

type SnapshotRow = {
  id: bigint
  provider: string
  as_of: Date
  fetched_at: Date
  codes: string[]
  rates: string[]
  pers: string[]
}

/** Changes whenever a snapshot is added: what each process asks every second, so it must cost nothing. */
export async function newestSnapshotId(q: Queryable): Promise<bigint | null> {
  const { rows } = await q.query<{ id: bigint | null }>({
    name: 'market-data-newest',
    text: 'select max(id) as id from market_data.rate_snapshots',
  })
  return rows[0]?.id ?? null
}

/** The newest snapshot of each of these providers. */
export async function newestSnapshots(
  q: Queryable,
  providers: readonly string[],
): Promise<Map<string, HeldSnapshot>> {
  const { rows } = await q.query<SnapshotRow>(
    `select newest.id, newest.provider, newest.as_of, newest.fetched_at,
            array_agg(rates.code) as codes, array_agg(rates.rate::text) as rates, array_agg(rates.per::text) as pers
       from unnest($1::text[]) as listed (provider)
      cross join lateral (
        select id, provider, as_of, fetched_at from market_data.rate_snapshots
         where provider = listed.provider
         order by as_of desc, fetched_at desc
         limit 1) as newest
       join market_data.rates on rates.snapshot_id = newest.id
      group by newest.id, newest.provider, newest.as_of, newest.fetched_at`,
    [[...providers]],
  )
  return new Map(rows.map((row) => [row.provider, heldSnapshot(row)]))
}

function heldSnapshot(row: SnapshotRow): HeldSnapshot {
  const rates = row.codes.map(
    (code, index) => [code, { rate: row.rates[index] ?? '', per: row.pers[index] ?? '' }] as const,
  )
  return {
    id: row.id,
    provider: row.provider,
    asOf: row.as_of,
    fetchedAt: row.fetched_at,
    rates: new Map(rates),
  }
}

export interface NewSnapshot {
  readonly provider: string
  readonly asOf: Date
  readonly fetchedAt: Date
  readonly rates: readonly SaneRate[]
}

/** Stores one snapshot and its rates. */
export async function insertSnapshot(tx: Tx, snapshot: NewSnapshot): Promise<bigint> {
  const { rows } = await tx.query<{ id: bigint }>(
    `insert into market_data.rate_snapshots (provider, as_of, fetched_at, base, origin)
     values ($1, $2, $3, 'EUR', 'poll') returning id`,
    [snapshot.provider, snapshot.asOf, snapshot.fetchedAt],
  )
  const id = rows[0]?.id
  if (id === undefined) throw new Error('the snapshot was not stored')
  await insertRates(
    tx,
    snapshot.rates.map((rate) => ({ ...rate, snapshotId: id })),
  )
  return id
}

/** Stores snapshots of the past that are not held yet; gives the ids of those stored, by their moment. */
export async function insertPastSnapshots(
  tx: Tx,
  provider: string,
  moments: readonly Date[],
  fetchedAt: Date,
): Promise<Map<number, bigint>> {
  const { rows } = await tx.query<{ id: bigint; as_of: Date }>(
    `insert into market_data.rate_snapshots (provider, as_of, fetched_at, base, origin)
     select $1, past.as_of, $3, 'EUR', 'history'
       from unnest($2::timestamptz[]) as past (as_of)
      where not exists (
        select from market_data.rate_snapshots held where held.provider = $1 and held.as_of = past.as_of)
        -- Never newer than what was judged: the past must not become the latest value unseen.
        and past.as_of < (select max(as_of) from market_data.rate_snapshots where provider = $1)
     returning id, as_of`,
    [provider, [...moments], fetchedAt],
  )
  return new Map(rows.map((row) => [row.as_of.getTime(), row.id]))
}

export async function insertRates(
  tx: Tx,
  rates: readonly { snapshotId: bigint; code: string; rate: string; per: string }[],
): Promise<void> {
  await tx.query(
    `insert into market_data.rates (snapshot_id, code, rate, per)
     select * from unnest($1::bigint[], $2::text[], $3::numeric[], $4::numeric[])`,
    [
      rates.map((rate) => rate.snapshotId),
      rates.map((rate) => rate.code),
      rates.map((rate) => rate.rate),
      rates.map((rate) => rate.per),
    ],
  )
}

export interface WaitingQuarantine {
  readonly id: bigint
  readonly asOf: Date
  readonly fetchedAt: Date
  readonly rates: readonly { code: string; rate: string; per: string }[]
}

export async function waitingQuarantine(tx: Tx, provider: string): Promise<WaitingQuarantine | null> {
  const { rows } = await tx.query<{
    id: bigint
    as_of: Date
    fetched_at: Date
    rates: { code: string; rate: string; per: string }[]
  }>(
    `select id, as_of, fetched_at, rates from market_data.quarantine
      where provider = $1 and outcome = 'waiting'`,
    [provider],
  )
  const [row] = rows
  return row === undefined
    ? null
    : { id: row.id, asOf: row.as_of, fetchedAt: row.fetched_at, rates: row.rates }
}

export async function resolveQuarantine(
  tx: Tx,
  provider: string,
  outcome: 'agreed' | 'dropped',
  at: Date,
): Promise<void> {
  await tx.query(
    `update market_data.quarantine set outcome = $2, resolved_at = $3
      where provider = $1 and outcome = 'waiting'`,
    [provider, outcome, at],
  )
}

export async function insertQuarantine(tx: Tx, snapshot: NewSnapshot, jumps: readonly Jump[]): Promise<void> {
  const rates = snapshot.rates.map(({ code, rate, per }) => ({ code, rate, per }))
  await tx.query(
    `insert into market_data.quarantine (provider, as_of, fetched_at, rates, jumps)
     values ($1, $2, $3, $4, $5)`,
    [snapshot.provider, snapshot.asOf, snapshot.fetchedAt, JSON.stringify(rates), JSON.stringify(jumps)],
  )
}

export interface Divergence {
  readonly code: string
  readonly otherProvider: string
  readonly apartBps: number
  readonly limitBps: number
}

export async function recordDivergences(
  tx: Tx,
  provider: string,
  divergences: readonly Divergence[],
  at: Date,
): Promise<void> {
  if (divergences.length === 0) return
  await tx.query(
    `insert into market_data.divergences as known
            (provider, first_at, last_at, code, other_provider, apart_bps, limit_bps)
     select $1, $2, $2, * from unnest($3::text[], $4::text[], $5::int[], $6::int[])
         on conflict (code, provider, other_provider) do update
        set apart_bps = excluded.apart_bps, limit_bps = excluded.limit_bps,
            times = known.times + 1, last_at = excluded.last_at`,
    [
      provider,
      at,
      divergences.map((divergence) => divergence.code),
      divergences.map((divergence) => divergence.otherProvider),
      divergences.map((divergence) => Math.round(divergence.apartBps)),
      divergences.map((divergence) => Math.round(divergence.limitBps)),
    ],
  )
}

/**
 * σ of each code against EUR in basis points per square root of an hour, from one value an hour of the last 30
 * days: the root of (sum of squared log returns / sum of hours between them), which no gap distorts.
 * Codes with fewer than 20 returns are left out: they are not known well enough to judge by.
 */
export async function codeSigmas(
  q: Queryable,
  provider: string,
  codes: readonly string[],
  now: Date,
): Promise<Map<string, number>> {
  const { rows } = await q.query<{ code: string; sigma: number }>(
    `with hourly as (
       select distinct on (rates.code, date_trunc('hour', as_of))
              rates.code, as_of, ln((rate / per)::float8) as log_value
         from market_data.rate_snapshots
         join market_data.rates on rates.snapshot_id = rate_snapshots.id and rates.code = any($2)
        where provider = $1 and as_of > $3::timestamptz - interval '30 days'
        order by rates.code, date_trunc('hour', as_of), as_of desc),
     steps as (
       select code, log_value - lag(log_value) over series as move,
              extract(epoch from as_of - lag(as_of) over series)::float8 / 3600 as hours
         from hourly window series as (partition by code order by as_of))
     select code, 10000 * sqrt(sum(move * move) / sum(hours)) as sigma
       from steps where hours > 0 group by code having count(*) >= 20`,
    [provider, [...codes], now],
  )
  return new Map(rows.map((row) => [row.code, row.sigma]))
}
