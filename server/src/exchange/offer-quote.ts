import { Problem } from '@kantor/contract/errors'
import type { ConversionQuote, ConversionQuoteRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import type { Database, Tx } from '#db'
import { SETTLE_AFTER_SECONDS } from './exposure.ts'
import { lockQuoting, readLiveQuotes, readPairExposure, settleQuotes } from './queries.ts'
import { draftQuote } from './quote-conversion.ts'
import type { DraftedQuote, QuotingDeps } from './quote-conversion.ts'
import type { ExchangeSettings } from './settings.ts'
import { insertQuote } from './stored-quotes.ts'
import type { StoredQuote } from './stored-quotes.ts'

export interface OfferDeps extends QuotingDeps {
  readonly db: Database
}

/**
 * Makes a firm offer, kept for as long as it can be used.
 * @throws Problem as `draftQuote`; too_many_quotes, exposure_limit
 */
export async function offerQuote(
  deps: OfferDeps,
  walletId: bigint,
  request: ConversionQuoteRequest,
): Promise<ConversionQuote> {
  const drafted = await draftQuote(deps, walletId, request)
  await deps.db.transaction(async (tx) => {
    await lockQuoting(tx, walletId, drafted.quote, 'unflushed')
    await requireFewQuotes(tx, drafted.quote, deps.settings)
    await requireExposure(tx, drafted.quote, deps.settings)
    await insertQuote(tx, drafted.quote)
  })
  return quoteBody(drafted)
}

async function requireFewQuotes(tx: Tx, quote: StoredQuote, settings: ExchangeSettings): Promise<void> {
  const now = quote.createdAt
  const live = await readLiveQuotes(tx, quote.walletId, now)
  if (live.count >= settings.liveQuotesMax) {
    const waitMs = live.firstExpiresAt === null ? 0 : live.firstExpiresAt.getTime() - now.getTime()
    throw new Problem('too_many_quotes', { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) })
  }
}

/**
 * Every offer is counted as if it would be taken: several that are open at once cannot pass the caps together.
 * @throws Problem exposure_limit
 */
export async function requireExposure(
  tx: Tx,
  quote: StoredQuote,
  settings: Pick<ExchangeSettings, 'exposureCustomerMinor' | 'exposureOverallMinor'>,
): Promise<void> {
  const now = quote.createdAt
  await settleQuotes(tx, quote, new Date(now.getTime() - SETTLE_AFTER_SECONDS * 1_000), now)
  const held = await readPairExposure(tx, quote, [quote.walletId])
  const own = held.own.get(quote.walletId) ?? 0n
  const fits =
    own + quote.exposureMinor <= settings.exposureCustomerMinor &&
    held.overall + quote.exposureMinor <= settings.exposureOverallMinor
  if (!fits) throw new Problem('exposure_limit')
}

function quoteBody({ quote, from, to }: DraftedQuote): ConversionQuote {
  return {
    id: quote.id,
    from: { asset: from.code, amount: formatAmount(quote.fromMinor, from.scale) },
    to: { asset: to.code, amount: formatAmount(quote.toMinor, to.scale) },
    rate: quote.rate,
    mid: quote.mid,
    marginBps: quote.baseBps + quote.weekendBps + quote.ageBps,
    fee: { asset: from.code, amount: formatAmount(quote.feeMinor, from.scale) },
    rateAsOf: quote.rateAsOf.toISOString(),
    source: quote.rateSource,
    quotedAt: quote.createdAt.toISOString(),
    expiresAt: quote.expiresAt.toISOString(),
  }
}
