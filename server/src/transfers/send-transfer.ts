import { Problem } from '@kantor/contract/errors'
import type { Transfer, TransferRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import { accountId, assetIdOf, PURPOSE, walletIdOf } from '#ledger'
import type { JournalRef, Ledger, PostCommand, Posting } from '#ledger'
import { judgedOrReplayed, postOrRefuse, readMoney, requestHash } from '#wallets'
import type { AssetBook, KeyedRequest, Money, Posted } from '#wallets'
import type { People, Person } from './people.ts'
import { postShares } from './post-shares.ts'
import type { PostSharesDeps } from './post-shares.ts'

export interface SendDeps extends PostSharesDeps {
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly people: People
}

interface JudgedTransfer {
  readonly money: Money
  readonly payee: Person
}

/** Moves an amount from one customer's available balance to another's, at once. */
export async function sendTransfer(
  deps: SendDeps,
  walletId: bigint,
  request: TransferRequest,
  key: string,
): Promise<{ body: Transfer; replayed: boolean }> {
  const fields = [request.to, request.asset, request.amount, request.note ?? null]
  const keyed = { walletId, key, requestHash: requestHash('transfer', fields) }
  const outcome = await judgedOrReplayed(deps.ledger, keyed, () => judgeTransfer(deps, walletId, request))
  const posted = 'replay' in outcome ? outcome.replay : await post(deps, keyed, outcome.judged, request.note)
  const payee =
    'judged' in outcome && !posted.replayed
      ? outcome.judged.payee
      : await payeeOf(deps.people, posted.journal)
  return { body: await transferBody(deps.assets, request, posted.journal, payee), replayed: posted.replayed }
}

/** @throws Problem payee_not_found, payee_is_self and those of `readMoney` */
export async function judgeTransfer(
  deps: Pick<SendDeps, 'assets' | 'people'>,
  walletId: bigint,
  request: TransferRequest,
): Promise<JudgedTransfer> {
  const money = await readMoney(deps.assets, request.asset, request.amount)
  const payee = await deps.people.byReference(request.to)
  if (payee === null)
    throw new Problem('payee_not_found', { errors: [{ path: 'to', message: 'is nobody here' }] })
  if (payee.walletId === walletId) throw new Problem('payee_is_self')
  return { money, payee }
}

async function post(
  deps: SendDeps,
  { walletId, key, requestHash: sameRequest }: KeyedRequest,
  { money, payee }: JudgedTransfer,
  note: string | undefined,
): Promise<Posted> {
  const { assetId, minor } = money
  const said = note === undefined ? {} : { detail: { note } }
  const command = transferCommand(
    { walletId, payeeWalletId: payee.walletId, assetId, minor },
    { key, requestHash: sameRequest, ...said },
  )
  const { kind } = await deps.assets.byId(assetId)
  if (kind === 'instrument') return postShares(deps, command)
  return postOrRefuse(deps.ledger, command)
}

/** One posting from available to available, which is opened for a payee who never held the asset. */
export function transferCommand(
  moved: {
    readonly walletId: bigint
    readonly payeeWalletId: bigint
    readonly assetId: number
    readonly minor: bigint
  },
  keyed: Pick<PostCommand, 'key' | 'requestHash' | 'detail'>,
): PostCommand {
  const { walletId, payeeWalletId, assetId, minor } = moved
  const from = accountId({ walletId, assetId, purpose: PURPOSE.available })
  const to = accountId({ walletId: payeeWalletId, assetId, purpose: PURPOSE.available })
  return {
    kind: 'transfer',
    scope: walletId,
    postings: [{ from, to, amount: minor }],
    opens: [to],
    ...keyed,
  }
}

/** Whom a posted transfer went to, as they were called at the time: a replay answers what was answered. */
function payeeOf(people: People, journal: JournalRef): Promise<Person> {
  return people.ownerAt(walletIdOf(postingOf(journal).to), journal.recordedAt)
}

function postingOf(journal: JournalRef): Posting {
  const [posting] = journal.postings
  if (posting === undefined) throw new Error(`transfer ${journal.id} has no posting`)
  return posting
}

/** Answered from the journal and the request that its hash covers, so that a replay says the same. */
async function transferBody(
  assets: AssetBook,
  request: TransferRequest,
  journal: JournalRef,
  payee: Person,
): Promise<Transfer> {
  const posting = postingOf(journal)
  const { scale } = await assets.byId(assetIdOf(posting.to))
  return {
    id: journal.id,
    kind: 'transfer',
    status: 'posted',
    asset: request.asset,
    amount: formatAmount(posting.amount, scale),
    to: { handle: payee.handle, name: payee.name },
    note: request.note ?? null,
    at: journal.recordedAt.toISOString(),
  }
}
