import { Problem } from '@kantor/contract/errors'
import type { Conversion, ConversionRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { accountId, assetIdOf, HOUSE_WALLET_ID, PURPOSE, walletIdOf } from '#ledger'
import type { JournalRef, Ledger, PostCommand, Posting } from '#ledger'
import { judgedOrReplayed, postOrRefuse, requestHash } from '#wallets'
import type { RuleMark } from '#rules'
import type { AssetBook, KeyedRequest } from '#wallets'
import { detailOf, rateOfDetail } from './conversion-detail.ts'
import { readQuote } from './stored-quotes.ts'
import type { StoredQuote } from './stored-quotes.ts'

export interface ConvertDeps {
  readonly db: Queryable
  readonly ledger: Ledger
  readonly assets: AssetBook
}

/** Converts at a firm quote, once, if the ledger gets to judge it before it expires. */
export async function convertAtQuote(
  deps: ConvertDeps,
  walletId: bigint,
  request: ConversionRequest,
  key: string,
): Promise<{ body: Conversion; replayed: boolean }> {
  const quoteId = request.quoteId.toLowerCase()
  const keyed = { walletId, key, requestHash: requestHash('conversion', [quoteId]) }
  const outcome = await judgedOrReplayed(deps.ledger, keyed, () => requireQuote(deps.db, walletId, quoteId))
  const posted =
    'replay' in outcome
      ? outcome.replay
      : await postOrRefuse(deps.ledger, conversionCommand(outcome.judged, keyed))
  return { body: await conversionBody(deps.assets, posted.journal), replayed: posted.replayed }
}

async function requireQuote(db: Queryable, walletId: bigint, quoteId: string): Promise<StoredQuote> {
  const quote = await readQuote(db, walletId, quoteId)
  if (quote === null) throw new Problem('not_found')
  return quote
}

/**
 * Through the house's conversion accounts, which are its position in each currency; the fee is a posting of its own,
 * so that rate and margin can be recovered from the amounts. Expiry and single use are the ledger's to judge, in the
 * moment of posting: two requests cannot both have been in time.
 */
export function conversionCommand(
  quote: StoredQuote,
  { key, requestHash: sameRequest }: Pick<KeyedRequest, 'key' | 'requestHash'>,
  rule?: RuleMark,
): PostCommand {
  const { walletId, fromAssetId, toAssetId, feeMinor } = quote
  const payer = accountId({ walletId, assetId: fromAssetId, purpose: PURPOSE.available })
  const receiver = accountId({ walletId, assetId: toAssetId, purpose: PURPOSE.available })
  const house = (assetId: number, purpose: number) =>
    accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose })
  const postings: Posting[] = [
    { from: payer, to: house(fromAssetId, PURPOSE.conversion), amount: quote.fromMinor - feeMinor },
    { from: house(toAssetId, PURPOSE.conversion), to: receiver, amount: quote.toMinor },
  ]
  if (feeMinor > 0n) postings.push({ from: payer, to: house(fromAssetId, PURPOSE.fees), amount: feeMinor })
  return {
    kind: 'conversion',
    scope: walletId,
    key,
    requestHash: sameRequest,
    postings,
    opens: [...new Set(postings.flatMap(({ from, to }) => [from, to]))].filter((id) => id !== payer),
    consumes: `quote:${quote.id}`,
    notAfter: quote.expiresAt,
    detail: detailOf(quote, rule),
  }
}

/** Answered from the journal alone, so that a replay says the same, long after the quote was cleared away. */
async function conversionBody(assets: AssetBook, journal: JournalRef): Promise<Conversion> {
  const [paid, received, charged] = journal.postings
  if (paid === undefined || received === undefined || walletIdOf(received.from) !== HOUSE_WALLET_ID) {
    throw new Error(`conversion ${journal.id} is not made of a payment and a receipt`)
  }
  const found = await assets.byIds([assetIdOf(paid.from), assetIdOf(received.to)])
  const from = found.get(assetIdOf(paid.from))
  const to = found.get(assetIdOf(received.to))
  if (from === undefined || to === undefined)
    throw new Error(`conversion ${journal.id} is of an unknown asset`)
  const feeMinor = charged?.amount ?? 0n
  return {
    id: journal.id,
    kind: 'conversion',
    status: 'posted',
    from: { asset: from.code, amount: formatAmount(paid.amount + feeMinor, from.scale) },
    to: { asset: to.code, amount: formatAmount(received.amount, to.scale) },
    fee: { asset: from.code, amount: formatAmount(feeMinor, from.scale) },
    rate: rateOfDetail(journal.detail),
    at: journal.recordedAt.toISOString(),
  }
}
