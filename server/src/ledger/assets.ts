import type { Queryable } from '#db'
import type { Asset } from './types.ts'

/**
 * Declares assets that may be held. Those that exist take the new code and name; their kind and scale never change.
 * @throws Error when an existing id comes with another kind or scale: that would change what amounts mean.
 */
export async function declareAssets(q: Queryable, assets: Asset[]): Promise<void> {
  const declared = JSON.stringify(assets)
  await q.query(
    `insert into ledger.assets (id, code, kind, scale, name)
     select asset.id, asset.code, asset.kind, asset.scale, asset.name
     -- One at a time: on conflict (id) does not help two processes that start together against unique (code).
     from pg_advisory_xact_lock(hashtextextended('ledger.assets', 0)), jsonb_to_recordset($1::jsonb) asset (id integer, code text, kind text, scale smallint, name text)
     order by asset.id
     on conflict (id) do update set code = excluded.code, name = excluded.name
     where (assets.code, assets.name) is distinct from (excluded.code, excluded.name)`,
    [declared],
  )
  const { rows } = await q.query<{ code: string }>(
    `select assets.code from jsonb_to_recordset($1::jsonb) asset (id integer, kind text, scale smallint)
     join ledger.assets on assets.id = asset.id
     where (assets.kind, assets.scale) is distinct from (asset.kind, asset.scale)`,
    [declared],
  )
  if (rows.length > 0)
    throw new Error(`kind and scale never change: ${rows.map(({ code }) => code).join(', ')}`)
}

/** A frozen asset can be held but not posted. Null thaws it. @returns false when there is no such asset. */
export async function freezeAsset(q: Queryable, assetId: number, frozenAt: Date | null): Promise<boolean> {
  const { rowCount } = await q.query(`update ledger.assets set frozen_at = $2 where id = $1`, [
    assetId,
    frozenAt,
  ])
  return rowCount === 1
}

/** Codes of the assets that cannot be posted at present. */
export async function frozenAssetCodes(q: Queryable): Promise<ReadonlySet<string>> {
  const { rows } = await q.query<{ code: string }>(
    `select code from ledger.assets where frozen_at is not null`,
  )
  return new Set(rows.map(({ code }) => code))
}

/** Those that exist. */
export async function assetsByIds(q: Queryable, ids: readonly number[]): Promise<Map<number, Asset>> {
  const { rows } = await q.query<Asset>({
    name: 'ledger_assets_by_ids',
    text: `select id, code, kind, scale, name from ledger.assets where id = any ($1::integer[])`,
    values: [ids],
  })
  return new Map(rows.map((asset) => [asset.id, asset]))
}
