import { Problem } from '@kantor/contract/errors'
import type { Payee, Transfer, TransferRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import { accountId, assetIdOf, PURPOSE } from '#ledger'
import type { JournalRef, JsonValue, Ledger, PostCommand } from '#ledger'
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
  readonly payer: Person
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
  return { body: await transferBody(deps.assets, request, posted.journal), replayed: posted.replayed }
}

async function judgeTransfer(
  deps: SendDeps,
  walletId: bigint,
  request: TransferRequest,
): Promise<JudgedTransfer> {
  const money = await readMoney(deps.assets, request.asset, request.amount)
  const [payer, payee] = await Promise.all([
    deps.people.byWallet(walletId),
    deps.people.byReference(request.to),
  ])
  if (payer === null) throw new Error(`wallet ${walletId} is signed in and has no owner`)
  if (payee === null)
    throw new Problem('payee_not_found', { errors: [{ path: 'to', message: 'is nobody here' }] })
  if (payee.walletId === walletId) throw new Problem('payee_is_self')
  return { money, payer, payee }
}

async function post(
  deps: SendDeps,
  { walletId, key, requestHash: sameRequest }: KeyedRequest,
  { money, payer, payee }: JudgedTransfer,
  note: string | undefined,
): Promise<Posted> {
  const { assetId, minor } = money
  const from = accountId({ walletId, assetId, purpose: PURPOSE.available })
  const to = accountId({ walletId: payee.walletId, assetId, purpose: PURPOSE.available })
  const command: PostCommand = {
    kind: 'transfer',
    scope: walletId,
    key,
    requestHash: sameRequest,
    postings: [{ from, to, amount: minor }],
    opens: [to],
    detail: { ...(note === undefined ? {} : { note }), from: whoIs(payer), to: whoIs(payee) },
  }
  const { kind } = await deps.assets.byId(assetId)
  if (kind === 'instrument') return postShares(deps, command)
  return postOrRefuse(deps.ledger, command)
}

/** How they were called at the time, which is what history shows however they are called now. The name is masked. */
function whoIs(person: Person): { handle: string; name: string } {
  return { handle: person.handle, name: person.name }
}

/** Answered from the journal and the request that its hash covers, so that a replay says the same. */
async function transferBody(
  assets: AssetBook,
  request: TransferRequest,
  journal: JournalRef,
): Promise<Transfer> {
  const [posting] = journal.postings
  if (posting === undefined) throw new Error(`transfer ${journal.id} has no posting`)
  const { scale } = await assets.byId(assetIdOf(posting.to))
  return {
    id: journal.id,
    kind: 'transfer',
    status: 'posted',
    asset: request.asset,
    amount: formatAmount(posting.amount, scale),
    to: payeeOf(journal.detail?.['to']),
    note: request.note ?? null,
    at: journal.recordedAt.toISOString(),
  }
}

function payeeOf(detail: JsonValue | undefined): Payee {
  if (typeof detail !== 'object' || detail === null || Array.isArray(detail))
    throw new Error('a transfer to nobody')
  const { handle, name } = detail
  if (typeof handle !== 'string' || typeof name !== 'string')
    throw new Error('a transfer to somebody unnamed')
  return { handle, name }
}
