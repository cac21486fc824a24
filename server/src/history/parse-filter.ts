import type { OperationsQuery } from '@kantor/contract/api'
import { Problem, type FieldError } from '@kantor/contract/errors'
import { INT8_MAX, parseAmount } from '@kantor/contract/money'
import { requireAsset, type WalletAsset } from '#wallets'
import type { HistoryDeps } from './deps.ts'
import type { OperationFilter } from './filter.ts'
import { wordsOf } from './note-words.ts'
import { seqRangeOf } from './seq-range.ts'

/**
 * What a request asks for, in the ledger's own terms. Null: nothing can match, for example a handle that nobody
 * bears, which answers like one never dealt with.
 * @throws Problem invalid_request with the field's path; unknown_asset
 */
export async function parseFilter(
  { db, assets, people }: HistoryDeps,
  walletId: bigint,
  query: OperationsQuery,
): Promise<OperationFilter | null> {
  requireAssetForAmounts(query)
  const asset = query.asset === undefined ? null : await requireAsset(assets, query.asset, 'query.asset')
  const sizes = asset === null ? null : sizesOf(query, asset)
  const words = query.q === undefined ? [] : searchedWords(query.q)
  const handle = query.counterparty?.replace(/^@/, '')
  const counterpartyId = handle === undefined ? null : await people.walletOfHandle(handle)
  if (handle !== undefined && (counterpartyId === null || counterpartyId === walletId)) return null
  const { seqMin, seqEnd } = await seqRangeOf(db, query.from, query.to)
  return {
    walletId,
    kind: query.kind ?? null,
    assetId: asset?.id ?? null,
    sizes,
    counterpartyId,
    words,
    seqMin,
    seqEnd,
  }
}

function requireAssetForAmounts({ asset, amountMin, amountMax }: OperationsQuery): void {
  if (asset !== undefined || (amountMin === undefined && amountMax === undefined)) return
  throw invalid([{ path: 'query.asset', message: 'is needed with amountMin or amountMax, to say of what' }])
}

function sizesOf({ amountMin, amountMax }: OperationsQuery, asset: WalletAsset): OperationFilter['sizes'] {
  if (amountMin === undefined && amountMax === undefined) return null
  return {
    least: amountMin === undefined ? 0n : minorOf('query.amountMin', amountMin, asset),
    most: amountMax === undefined ? INT8_MAX : minorOf('query.amountMax', amountMax, asset),
  }
}

function minorOf(path: string, text: string, { code, scale }: WalletAsset): bigint {
  const amount = parseAmount(text, scale)
  if (amount.ok) return amount.minor
  const message =
    amount.reason === 'digits'
      ? `${code} has ${scale} digits after the point`
      : 'is more than an account can hold'
  throw invalid([{ path, message }])
}

function searchedWords(text: string): string[] {
  const words = wordsOf(text)
  if (words.length === 0) throw invalid([{ path: 'query.q', message: 'must have a letter or a digit' }])
  return words
}

function invalid(errors: FieldError[]): Problem {
  return new Problem('invalid_request', { errors })
}
