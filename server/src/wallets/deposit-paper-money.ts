import { Problem } from '@kantor/contract/errors'
import type { Deposit, DepositRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import { assetIdOf } from '#ledger'
import type { JournalRef, Ledger } from '#ledger'
import type { AssetBook } from './assets.ts'
import { depositPosting } from './deposit-posting.ts'
import { judgedOrReplayed, postOrRefuse, requestHash } from './post-or-refuse.ts'
import type { KeyedRequest, Posted } from './post-or-refuse.ts'
import { readMoney } from './read-money.ts'
import type { Money } from './read-money.ts'

/** The most that one deposit of paper money may be; assets that are not listed cannot be had so. */
export interface PaperMoney {
  readonly asset: string
  readonly mostMinor: bigint
}

export interface DepositDeps {
  readonly ledger: Ledger
  readonly assets: AssetBook
  /** Empty: the operator hands out none. */
  readonly paperMoney: readonly PaperMoney[]
}

/** Hands a customer play money, out of the house's funding account. The same key again answers the first deposit. */
export async function depositPaperMoney(
  deps: DepositDeps,
  walletId: bigint,
  request: DepositRequest,
  key: string,
): Promise<{ body: Deposit; replayed: boolean }> {
  const keyed = { walletId, key, requestHash: requestHash('deposit', [request.asset, request.amount]) }
  const outcome = await judgedOrReplayed(deps.ledger, keyed, () => judgeDeposit(deps, request))
  const posted = 'replay' in outcome ? outcome.replay : await post(deps.ledger, keyed, outcome.judged)
  return { body: await depositBody(deps, request, posted.journal), replayed: posted.replayed }
}

async function judgeDeposit(deps: DepositDeps, request: DepositRequest): Promise<Money> {
  if (deps.paperMoney.length === 0) throw new Problem('deposits_disabled')
  const money = await readMoney(deps.assets, request.asset, request.amount)
  const limit = deps.paperMoney.find((each) => each.asset === money.asset)
  if (limit === undefined) {
    const message = `paper money is handed out in ${deps.paperMoney.map((each) => each.asset).join(', ')}`
    throw new Problem('deposits_disabled', { errors: [{ path: 'asset', message }] })
  }
  if (money.minor > limit.mostMinor) {
    const message = `must be at most ${formatAmount(limit.mostMinor, money.scale)}`
    throw new Problem('deposit_limit', { errors: [{ path: 'amount', message }] })
  }
  return money
}

function post(ledger: Ledger, keyed: KeyedRequest, money: Money): Promise<Posted> {
  const posting = depositPosting(keyed.walletId, money.assetId, money.minor)
  return postOrRefuse(ledger, {
    kind: 'deposit',
    scope: keyed.walletId,
    key: keyed.key,
    requestHash: keyed.requestHash,
    postings: [posting],
    opens: [posting.from, posting.to],
    detail: { reason: 'paperMoney' },
  })
}

/** Answered from the journal and the request that its hash covers, so that a replay says the same. */
async function depositBody(
  deps: DepositDeps,
  request: DepositRequest,
  journal: JournalRef,
): Promise<Deposit> {
  const [posting] = journal.postings
  if (posting === undefined) throw new Error(`deposit ${journal.id} has no posting`)
  const { scale } = await deps.assets.byId(assetIdOf(posting.to))
  return {
    id: journal.id,
    kind: 'deposit',
    status: 'posted',
    asset: request.asset,
    amount: formatAmount(posting.amount, scale),
    at: journal.recordedAt.toISOString(),
  }
}
