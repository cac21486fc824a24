import { Problem } from '@kantor/contract/errors'
import type { ConversionQuoteRequest } from '@kantor/contract/api'
import { z } from 'zod'
import type { Tx } from '#db'
import type { Ledger } from '#ledger'
import type { RunName, RuleMark } from '#rules'
import { refusalProblem, requireAsset } from '#wallets'
import { conversionCommand } from './convert-at-quote.ts'
import { requireExposure } from './offer-quote.ts'
import { lockQuoting } from './queries.ts'
import { fixedSide } from './quote-conversion.ts'
import type { QuotingDeps } from './quote-conversion.ts'
import { insertQuote } from './stored-quotes.ts'
import type { StoredQuote } from './stored-quotes.ts'

/** What both kinds of rules that convert keep of the conversion: codes and amounts as they were asked for. */
export const dealDefinition = z.object({
  from: z.string(),
  to: z.string(),
  fromAmount: z.string().optional(),
  toAmount: z.string().optional(),
})
export type DealDefinition = z.infer<typeof dealDefinition>

/**
 * Whether this could be converted one day. Rates may be stale now and funds missing: that is judged when it is due.
 * @throws Problem unknown_asset, same_asset, rate_unknown and those of `readAmount`
 */
export async function judgeDeal(
  { assets, rates }: Pick<QuotingDeps, 'assets' | 'rates'>,
  deal: ConversionQuoteRequest,
): Promise<void> {
  const [from, to] = await Promise.all([
    requireAsset(assets, deal.from, 'from'),
    requireAsset(assets, deal.to, 'to'),
  ])
  if (from.id === to.id) throw new Problem('same_asset')
  fixedSide(deal, from, to)
  if (rates.rate(from.code, to.code).unknown) throw new Problem('rate_unknown')
}

/** The amounts of a change take the place of what was fixed before. */
export function withAmounts<Deal extends DealDefinition>(
  deal: Deal,
  change: { readonly fromAmount?: string | undefined; readonly toAmount?: string | undefined },
): Deal {
  if (change.fromAmount === undefined && change.toAmount === undefined) return deal
  return { ...deal, fromAmount: change.fromAmount, toAmount: change.toAmount }
}

/**
 * Converts at a price that was drafted a moment ago, within the tx of a rule's run. The draft is kept as a quote that
 * is used at once: it counts towards the caps like every other, and expires like them if locks had to be waited for.
 * It is no offer that its owner could hold, so their number of open quotes is not asked.
 * @returns the journal's id
 * @throws Problem exposure_limit and those of `refusalProblem`; the tx is to be undone then
 */
export async function dealWithin(
  deps: Pick<QuotingDeps, 'settings'> & { readonly ledger: Ledger },
  tx: Tx,
  quote: StoredQuote,
  { run, mark }: { run: RunName; mark: RuleMark },
): Promise<string> {
  const command = conversionCommand(quote, run, mark)
  // Accounts before pairs, as trades that convert lock them.
  const accountIds = command.postings.flatMap(({ from, to }) => [from, to])
  const locked = await deps.ledger.lockAccounts(tx, accountIds, command.opens ?? [])
  await lockQuoting(tx, quote.walletId, quote, 'flushed')
  await requireExposure(tx, quote, deps.settings)
  await insertQuote(tx, quote)
  const [verdict] = await locked.post([command])
  if (verdict === undefined) throw new Error('a command without a verdict')
  if (verdict.outcome === 'refused') throw refusalProblem(verdict.reason)
  return verdict.journal.id
}
