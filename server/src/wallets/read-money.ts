import { Problem } from '@kantor/contract/errors'
import { formatAmount, INT8_MAX, parseAmount } from '@kantor/contract/money'
import type { AssetBook, WalletAsset } from './assets.ts'

/** An amount of an asset, as a request named it and we understood it. */
export interface Money {
  readonly asset: string
  readonly assetId: number
  readonly scale: number
  /** > 0 */
  readonly minor: bigint
}

/** Where the request says these two, for the error's `errors[].path`: `{asset: 'from', amount: 'fromAmount'}`. */
export interface MoneyPaths {
  readonly asset: string
  readonly amount: string
}

/**
 * Reads a positive amount in the asset's own digits.
 * @throws Problem unknown_asset, invalid_request (more digits than the asset has), amount_not_positive,
 *   amount_too_large
 */
export async function readMoney(
  assets: AssetBook,
  code: string,
  amountText: string,
  paths: MoneyPaths = { asset: 'asset', amount: 'amount' },
): Promise<Money> {
  return readAmount(await requireAsset(assets, code, paths.asset), amountText, paths.amount)
}

/** @throws Problem unknown_asset */
export async function requireAsset(assets: AssetBook, code: string, path: string): Promise<WalletAsset> {
  const asset = await assets.byCode(code)
  if (asset === null)
    throw new Problem('unknown_asset', { errors: [{ path, message: 'is not offered here' }] })
  return asset
}

/** The second half of `readMoney`, for an asset that is known already; throws the same without unknown_asset. */
export function readAmount(asset: WalletAsset, amountText: string, path: string): Money {
  const result = parseAmount(amountText, asset.scale)
  if (!result.ok) throw amountProblem(asset, result.reason, path)
  if (result.minor === 0n) {
    throw new Problem('amount_not_positive', { errors: [{ path, message: 'must be above zero' }] })
  }
  return { asset: asset.code, assetId: asset.id, scale: asset.scale, minor: result.minor }
}

function amountProblem(asset: WalletAsset, reason: 'shape' | 'digits' | 'too_large', path: string): Problem {
  if (reason === 'too_large') {
    const message = `must be at most ${formatAmount(INT8_MAX, asset.scale)}`
    return new Problem('amount_too_large', { errors: [{ path, message }] })
  }
  const digits =
    asset.scale === 0 ? 'no digits' : `at most ${asset.scale} digit${asset.scale === 1 ? '' : 's'}`
  const message = `must be a decimal number with ${digits} after the point for ${asset.code}`
  return new Problem('invalid_request', { errors: [{ path, message }] })
}
