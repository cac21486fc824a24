import type { Database } from '#db'
import type { AssetBook } from './assets.ts'
import { insertOpenedAssets } from './queries.ts'
import { requireAsset } from './read-money.ts'

/**
 * Shows an asset in a wallet although nothing is in it. There are no more rows to be had than there are assets.
 * @throws Problem unknown_asset
 */
export async function openBalance(
  deps: { readonly db: Database; readonly assets: AssetBook },
  walletId: bigint,
  code: string,
): Promise<void> {
  const asset = await requireAsset(deps.assets, code, 'asset')
  await deps.db.transaction((tx) => insertOpenedAssets(tx, walletId, [asset.id]))
}
