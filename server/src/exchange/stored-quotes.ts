import type { Queryable, Tx } from '#db'

/** A conversion quote as it is kept. Amounts are minor units; ratios are exact. */
export interface StoredQuote {
  readonly id: string
  readonly walletId: bigint
  readonly fromAssetId: number
  readonly toAssetId: number
  readonly fromScale: number
  readonly toScale: number
  readonly fromMinor: bigint
  readonly feeMinor: bigint
  readonly toMinor: bigint
  readonly midNumerator: bigint
  readonly midDenominator: bigint
  readonly mid: string
  readonly rate: string
  readonly baseBps: number
  readonly weekendBps: number
  readonly ageBps: number
  readonly rateSource: string
  readonly rateAsOf: Date
  readonly rateSnapshots: readonly string[]
  readonly rateVersion: string
  readonly roundingNumerator: bigint
  readonly roundingDenominator: bigint
  /** What is exchanged, in euro cents at mid. */
  readonly exposureMinor: bigint
  readonly createdAt: Date
  readonly expiresAt: Date
}

export async function insertQuote(tx: Tx, quote: StoredQuote): Promise<void> {
  await tx.query({
    name: 'exchange.insert_quote',
    text: `
      insert into exchange.quotes (
        id, wallet_id, from_asset_id, to_asset_id, from_scale, to_scale, from_minor, fee_minor, to_minor,
        mid_numerator, mid_denominator, mid, rate, base_bps, weekend_bps, age_bps,
        rate_source, rate_as_of, rate_snapshots, rate_version,
        rounding_numerator, rounding_denominator, exposure_minor, created_at, expires_at
      ) values (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
        $24, $25
      )`,
    values: [
      quote.id,
      quote.walletId,
      quote.fromAssetId,
      quote.toAssetId,
      quote.fromScale,
      quote.toScale,
      quote.fromMinor,
      quote.feeMinor,
      quote.toMinor,
      quote.midNumerator,
      quote.midDenominator,
      quote.mid,
      quote.rate,
      quote.baseBps,
      quote.weekendBps,
      quote.ageBps,
      quote.rateSource,
      quote.rateAsOf,
      quote.rateSnapshots,
      quote.rateVersion,
      quote.roundingNumerator,
      quote.roundingDenominator,
      quote.exposureMinor,
      quote.createdAt,
      quote.expiresAt,
    ],
  })
}

/** numeric arrives as text, and these are whole numbers of any size. */
type QuoteRow = Omit<StoredQuote, WholeNumeric> & Record<WholeNumeric, string>
type WholeNumeric = 'midNumerator' | 'midDenominator' | 'roundingNumerator' | 'roundingDenominator'

/** The customer's own quote; another's is as good as missing. */
export async function readQuote(q: Queryable, walletId: bigint, id: string): Promise<StoredQuote | null> {
  const { rows } = await q.query<QuoteRow>({
    name: 'exchange.quote',
    text: `
      select id, wallet_id as "walletId", from_asset_id as "fromAssetId", to_asset_id as "toAssetId",
        from_scale as "fromScale", to_scale as "toScale",
        from_minor as "fromMinor", fee_minor as "feeMinor", to_minor as "toMinor",
        mid_numerator as "midNumerator", mid_denominator as "midDenominator", mid, rate,
        base_bps as "baseBps", weekend_bps as "weekendBps", age_bps as "ageBps",
        rate_source as "rateSource", rate_as_of as "rateAsOf", rate_snapshots as "rateSnapshots",
        rate_version as "rateVersion", rounding_numerator as "roundingNumerator",
        rounding_denominator as "roundingDenominator", exposure_minor as "exposureMinor",
        created_at as "createdAt", expires_at as "expiresAt"
      from exchange.quotes where id = $1 and wallet_id = $2`,
    values: [id, walletId],
  })
  const [row] = rows
  if (row === undefined) return null
  return {
    ...row,
    midNumerator: BigInt(row.midNumerator),
    midDenominator: BigInt(row.midDenominator),
    roundingNumerator: BigInt(row.roundingNumerator),
    roundingDenominator: BigInt(row.roundingDenominator),
  }
}

/** Quotes and exposures that nothing can need any more. Their journals keep all that explains them. */
export async function deleteQuotesBefore(q: Queryable, before: Date): Promise<void> {
  await q.query('delete from exchange.quotes where expires_at < $1', [before])
  await q.query('delete from exchange.exposures where changed_at < $1', [before])
}
