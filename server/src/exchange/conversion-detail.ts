import type { JournalRef, PostCommand } from '#ledger'
import type { RuleMark } from '#rules'
import type { StoredQuote } from './stored-quotes.ts'

/**
 * What a conversion's journal keeps beside its postings, so that every figure can be explained by it alone, for ever.
 * The shape is said in README.md; members may be added, never changed.
 */
export function detailOf(quote: StoredQuote, rule?: RuleMark): NonNullable<PostCommand['detail']> {
  return {
    quoteId: quote.id,
    rate: quote.rate,
    mid: quote.mid,
    midRatio: { numerator: `${quote.midNumerator}`, denominator: `${quote.midDenominator}` },
    marginBps: quote.baseBps + quote.weekendBps + quote.ageBps,
    baseBps: quote.baseBps,
    weekendBps: quote.weekendBps,
    ageBps: quote.ageBps,
    feeMinor: `${quote.feeMinor}`,
    rateSource: quote.rateSource,
    rateAsOf: quote.rateAsOf.toISOString(),
    rateSnapshots: [...quote.rateSnapshots],
    rounding: { numerator: `${quote.roundingNumerator}`, denominator: `${quote.roundingDenominator}` },
    quotedAt: quote.createdAt.toISOString(),
    ...(rule === undefined ? {} : { rule }),
  }
}

/** The customer's rate as it was shown. */
export function rateOfDetail(detail: JournalRef['detail']): string {
  const rate = detail?.['rate']
  if (typeof rate !== 'string') throw new Error('a conversion without a rate')
  return rate
}
