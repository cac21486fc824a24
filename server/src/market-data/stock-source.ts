import type { Database, Queryable, Tx } from '#db'
import type { Entitlement, StockProvider } from './providers/stock-provider.ts'

/** Where stock data comes from, and what its key may see. */
export interface StockSource {
  readonly id: number
  /** Null: not tried yet. */
  readonly entitlement: Entitlement | null
}

export interface SourceDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly provider: Pick<StockProvider, 'name' | 'simulated' | 'configuredAs'>
}

/** The source's row, made if it is new. Another address or key makes all feeds due and forgets the entitlement. */
export async function ensureSource({ db, provider }: SourceDeps): Promise<StockSource> {
  const known = await readSource(db, provider.name)
  if (known?.configured_as === provider.configuredAs) return known
  return db.transaction(async (tx) => {
    await tx.query(
      `insert into market_data.stock_sources (provider, simulated, configured_as) values ($1, $2, $3)
           on conflict (provider) do update
          set configured_as = excluded.configured_as, entitlement = null, probed_at = null
        where stock_sources.configured_as <> excluded.configured_as`,
      [provider.name, provider.simulated, provider.configuredAs],
    )
    const source = await readSource(tx, provider.name)
    if (source === null) throw new Error(`no row for the source ${provider.name}`)
    await tx.query('update market_data.stock_feeds set next_at = null where source = $1', [source.id])
    return source
  })
}

async function readSource(
  q: Queryable,
  provider: string,
): Promise<(StockSource & { readonly configured_as: string }) | null> {
  const { rows } = await q.query<{ id: number; configured_as: string; entitlement: unknown }>(
    'select id, configured_as, entitlement from market_data.stock_sources where provider = $1',
    [provider],
  )
  const [row] = rows
  if (row === undefined) return null
  return { id: row.id, configured_as: row.configured_as, entitlement: entitlementOf(row.entitlement) }
}

/** Stored by `writeEntitlement` only; its time is text in JSON. */
function entitlementOf(stored: unknown): Entitlement | null {
  if (stored === null) return null
  const entitlement = stored as Omit<Entitlement, 'probedAt'> & { readonly probedAt: string }
  return { ...entitlement, probedAt: new Date(entitlement.probedAt) }
}

export async function readEntitlement(q: Queryable, provider: string): Promise<Entitlement | null> {
  return (await readSource(q, provider))?.entitlement ?? null
}

/** What a probe has found. It cannot try the stream, so what connecting has shown stands while the plan is the same. */
export async function recordEntitlement(
  { db, provider }: SourceDeps,
  sourceId: number,
  found: Entitlement,
): Promise<void> {
  await db.transaction(async (tx) => {
    await lockSource(tx, sourceId)
    const known = await readEntitlement(tx, provider.name)
    if (found.stream !== null || known === null || !isSamePlan(known, found))
      return writeEntitlement(tx, sourceId, found)
    const refused = [...found.refused, ...known.refused.filter(({ what }) => what === STREAM)]
    await writeEntitlement(tx, sourceId, { ...found, stream: known.stream, refused })
  })
}

const STREAM = 'stream'

function isSamePlan(one: Entitlement, other: Entitlement): boolean {
  return (
    one.timeliness === other.timeliness &&
    one.snapshots === other.snapshots &&
    one.intraday === other.intraday
  )
}

/** What connecting has shown of the plan, which no other question does. */
export async function recordStreamAllowed(
  { db, provider }: SourceDeps,
  sourceId: number,
  verdict: { readonly allowed: true } | { readonly allowed: false; readonly sentence: string },
): Promise<void> {
  await db.transaction(async (tx) => {
    await lockSource(tx, sourceId)
    const known = await readEntitlement(tx, provider.name)
    // Configured anew meanwhile: this is about another key.
    if (known === null) return
    const others = known.refused.filter(({ what }) => what !== STREAM)
    const refused = verdict.allowed ? others : [...others, { what: STREAM, sentence: verdict.sentence }]
    await writeEntitlement(tx, sourceId, { ...known, stream: verdict.allowed, refused })
  })
}

async function writeEntitlement(tx: Tx, sourceId: number, entitlement: Entitlement): Promise<void> {
  await tx.query('update market_data.stock_sources set entitlement = $2, probed_at = $3 where id = $1', [
    sourceId,
    JSON.stringify(entitlement),
    entitlement.probedAt,
  ])
}

/** Until the key was tried nobody knows; a day's close does not stream; and a refusal stands. */
export function mayStream({ entitlement }: StockSource): boolean {
  return entitlement !== null && entitlement.timeliness !== 'endOfDay' && entitlement.stream !== false
}

/**
 * Held while prices and actions are written, so that their numbers are in the order of commit: a reader who goes
 * on after the last number seen would otherwise miss what a slower transaction commits below it.
 */
export async function lockSource(tx: Tx, sourceId: number): Promise<void> {
  await tx.query('select from market_data.stock_sources where id = $1 for update', [sourceId])
}
