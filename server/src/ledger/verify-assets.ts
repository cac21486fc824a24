import type { Queryable } from '#db'
import { currencyById, INSTRUMENT_SCALE } from '@kantor/contract/money'
import type { AssetKind } from './types.ts'
import type { BreakCollector } from './verify.ts'

interface AssetsTerms {
  breaks: BreakCollector
  sumByAsset: ReadonlyMap<number, bigint>
}

/** Every asset sums to zero, exists, and has the scale that the currency table or its kind gives it. */
export async function verifyAssets(q: Queryable, { breaks, sumByAsset }: AssetsTerms): Promise<void> {
  const { rows } = await q.query<{ id: number; code: string; kind: AssetKind; scale: number }>(
    'select id, code, kind, scale from ledger.assets order by id',
  )
  const known = new Set(rows.map(({ id }) => id))
  for (const [assetId, sum] of sumByAsset) {
    if (sum !== 0n) breaks.report(null, `asset ${assetId} sums to ${sum} instead of zero`)
    if (!known.has(assetId)) breaks.report(null, `asset ${assetId} is held and does not exist`)
  }
  for (const { id, code, kind, scale } of rows) {
    const scaleExpected = kind === 'instrument' ? INSTRUMENT_SCALE : currencyById(id)?.scale
    if (scale !== scaleExpected) breaks.report(null, `asset ${code} has scale ${scale}, not ${scaleExpected}`)
  }
}
