import type { Queryable } from '#db'
import type { Asset } from '#ledger'
import { readAssetByCode, readAssetsByIds } from './queries.ts'

/** Something that accounts are held in, as far as the rooms above the ledger have to know it. */
export interface WalletAsset extends Asset {
  /** As last read. Only the ledger's own look, when it posts, is binding. */
  readonly frozen: boolean
}

/** The ledger's assets, kept for a few seconds: every request names some, and they hardly ever change. */
export interface AssetBook {
  byCode(code: string): Promise<WalletAsset | null>
  /** @throws Error for an id without an asset: it came out of an account or a journal, so there is one. */
  byId(id: number): Promise<WalletAsset>
  /** The same for many at once. */
  byIds(ids: readonly number[]): Promise<ReadonlyMap<number, WalletAsset>>
}

/** An id and a scale never change; a freeze and a renamed ticker are seen within this time. */
const ASSET_TTL_MS = 10_000

/** About 180 currencies and some thousand instruments in use; past it the book starts afresh instead of growing. */
const ASSETS_MAX = 8_192

interface Page {
  readonly asset: WalletAsset
  readonly readAtMs: number
}

export function openAssetBook(q: Queryable, clock: () => Date): AssetBook {
  const byCodes = new Map<string, Page>()
  const byNumbers = new Map<number, Page>()

  const keep = (asset: WalletAsset): void => {
    if (byNumbers.size >= ASSETS_MAX) {
      byCodes.clear()
      byNumbers.clear()
    }
    const page = { asset, readAtMs: clock().getTime() }
    byCodes.set(asset.code, page)
    byNumbers.set(asset.id, page)
  }
  const current = (page: Page | undefined): WalletAsset | null =>
    page !== undefined && clock().getTime() - page.readAtMs < ASSET_TTL_MS ? page.asset : null

  const byCode = async (code: string): Promise<WalletAsset | null> => {
    const known = current(byCodes.get(code))
    if (known !== null) return known
    const asset = await readAssetByCode(q, code)
    if (asset !== null) keep(asset)
    return asset
  }
  const byIds = async (ids: readonly number[]): Promise<ReadonlyMap<number, WalletAsset>> => {
    const found = new Map<number, WalletAsset>()
    const unread: number[] = []
    for (const id of ids) {
      const known = current(byNumbers.get(id))
      if (known === null) unread.push(id)
      else found.set(id, known)
    }
    for (const asset of unread.length === 0 ? [] : await readAssetsByIds(q, unread)) {
      keep(asset)
      found.set(asset.id, asset)
    }
    return found
  }
  const byId = async (id: number): Promise<WalletAsset> => {
    const asset = (await byIds([id])).get(id)
    if (asset === undefined) throw new Error(`an account holds asset ${id}, which is not among the assets`)
    return asset
  }
  return { byCode, byId, byIds }
}
