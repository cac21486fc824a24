import type { Queryable, Tx } from '#db'
import type { AssetKind } from '#ledger'
import type { WalletAsset } from './assets.ts'

interface AssetRow {
  id: number
  code: string
  kind: AssetKind
  scale: number
  name: string
  frozen: boolean
}

const ASSET_COLUMNS = 'id, code, kind, scale, name, frozen_at is not null as frozen'

export async function readAssetByCode(q: Queryable, code: string): Promise<WalletAsset | null> {
  const { rows } = await q.query<AssetRow>({
    name: 'wallets.asset_by_code',
    text: `select ${ASSET_COLUMNS} from ledger.assets where code = $1`,
    values: [code],
  })
  return rows[0] ?? null
}

export async function readAssetsByCodes(q: Queryable, codes: readonly string[]): Promise<WalletAsset[]> {
  const { rows } = await q.query<AssetRow>(
    `select ${ASSET_COLUMNS} from ledger.assets where code = any($1)`,
    [codes],
  )
  return rows
}

export async function readAssetsByIds(q: Queryable, ids: readonly number[]): Promise<WalletAsset[]> {
  const { rows } = await q.query<AssetRow>({
    name: 'wallets.assets_by_ids',
    text: `select ${ASSET_COLUMNS} from ledger.assets where id = any($1)`,
    values: [ids],
  })
  return rows
}

export async function readOpenedAssetIds(q: Queryable, walletId: bigint): Promise<number[]> {
  const { rows } = await q.query<{ asset_id: number }>({
    name: 'wallets.opened_assets',
    text: 'select asset_id from wallets.opened_assets where wallet_id = $1',
    values: [walletId],
  })
  return rows.map((row) => row.asset_id)
}

/** Opening what is open changes nothing. */
export async function insertOpenedAssets(
  tx: Tx,
  walletId: bigint,
  assetIds: readonly number[],
): Promise<void> {
  await tx.query(
    `insert into wallets.opened_assets (wallet_id, asset_id) select $1, unnest($2::int[]) on conflict do nothing`,
    [walletId, assetIds],
  )
}
