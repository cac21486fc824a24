import { Problem } from '@kantor/contract/errors'
import type { Tx } from '#db'
import type { Ledger, PostCommand } from '#ledger'
import type { WalletAsset } from './assets.ts'
import { depositPosting } from './deposit-posting.ts'
import { requestHash } from './post-or-refuse.ts'
import { insertOpenedAssets, readAssetsByCodes } from './queries.ts'

/** So much of an asset, in minor units. */
export interface GrantedMoney {
  readonly asset: string
  readonly minor: bigint
}

export interface OpenWalletDeps {
  readonly ledger: Ledger
  /** What every new wallet begins with (WELCOME_GRANT); may be empty. */
  readonly welcomeGrant: readonly GrantedMoney[]
}

/** With a blank, which no Idempotency-Key header may contain: no client can have used it for something of its own. */
const WELCOME_KEY = 'welcome grant'

/**
 * Opens a new customer's wallet: shows the chosen currencies and posts the welcome grant, in one journal.
 * It posts, and so must be the last thing that the sign-up's tx does.
 * @throws Problem unknown_asset for a currency that is not offered
 */
export async function openWallet(
  tx: Tx,
  deps: OpenWalletDeps,
  customer: { readonly walletId: bigint; readonly currencies: readonly string[] },
): Promise<void> {
  const { walletId, currencies } = customer
  const codes = [...new Set([...currencies, ...deps.welcomeGrant.map((grant) => grant.asset)])]
  const assets = await requireAssets(tx, codes)
  await insertOpenedAssets(
    tx,
    walletId,
    [...assets.values()].map((asset) => asset.id),
  )
  if (deps.welcomeGrant.length === 0) return
  const [verdict] = await deps.ledger.postWithin(tx, [welcomeCommand(walletId, deps.welcomeGrant, assets)])
  if (verdict?.outcome !== 'posted') {
    throw new Error(`the welcome grant was refused: ${verdict === undefined ? 'no verdict' : verdict.reason}`)
  }
}

function welcomeCommand(
  walletId: bigint,
  grants: readonly GrantedMoney[],
  assets: ReadonlyMap<string, WalletAsset>,
): PostCommand {
  const postings = grants.map(({ asset, minor }) => depositPosting(walletId, idOf(assets, asset), minor))
  return {
    kind: 'deposit',
    scope: walletId,
    key: WELCOME_KEY,
    requestHash: requestHash('welcome', []),
    postings,
    opens: postings.flatMap((posting) => [posting.from, posting.to]),
    detail: { reason: 'welcome' },
  }
}

async function requireAssets(tx: Tx, codes: readonly string[]): Promise<ReadonlyMap<string, WalletAsset>> {
  const assets = new Map((await readAssetsByCodes(tx, codes)).map((asset) => [asset.code, asset]))
  const missing = codes.filter((code) => !assets.has(code))
  if (missing.length > 0) {
    const message = `${missing.join(', ')}: not offered here`
    throw new Problem('unknown_asset', { errors: [{ path: 'currencies', message }] })
  }
  return assets
}

function idOf(assets: ReadonlyMap<string, WalletAsset>, code: string): number {
  const asset = assets.get(code)
  if (asset === undefined) throw new Error(`${code} was looked up before and is gone`)
  return asset.id
}
