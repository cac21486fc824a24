import { hash } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
import type { ErrorCode } from '@kantor/contract/errors'
import { accountId, LedgerBusy, PURPOSE } from '#ledger'
import type { JournalRef, Ledger, PostCommand, Posting, RefusalReason } from '#ledger'

export interface Posted {
  readonly journal: JournalRef
  readonly replayed: boolean
}

/** What makes a request the one that bore its key before. */
export interface KeyedRequest {
  readonly walletId: bigint
  readonly key: string
  readonly requestHash: Buffer
}

const REQUEST_HASH_BYTES = 16

/**
 * 16 bytes that two requests share only if they ask for the same: of the route's kind and the fields in their order,
 * as JSON, in which no two lists of texts look alike.
 */
export function requestHash(kind: string, fields: readonly (string | null)[]): Buffer {
  return hash('sha256', JSON.stringify([kind, ...fields]), 'buffer').subarray(0, REQUEST_HASH_BYTES)
}

/**
 * What the ledger's refusal is to a customer who moves value out of an own account into ones that may be opened:
 * an account that is not there is one that never held anything. What is null here only our own mistake can cause.
 */
const PROBLEM_OF: Readonly<Record<RefusalReason, ErrorCode | null>> = {
  unknown_account: 'insufficient_funds',
  insufficient_funds: 'insufficient_funds',
  unknown_asset: 'unknown_asset',
  asset_frozen: 'asset_frozen',
  non_positive_amount: 'amount_not_positive',
  overflow: 'amount_too_large',
  key_reused: 'idempotency_key_reused',
  already_consumed: 'quote_used',
  expired: 'quote_expired',
  asset_mismatch: null,
  same_account: null,
  unknown_original: null,
  exceeds_original: null,
}

/** The one place where a refusal of the ledger becomes an answer to a client. Balances stay behind. */
export function refusalProblem(reason: RefusalReason): Problem {
  const code = PROBLEM_OF[reason]
  if (code !== null) return new Problem(code)
  return new Problem('internal_error', { cause: new Error(`the ledger refused a command as ${reason}`) })
}

/**
 * Posts, and throws what the client is to be told if that did not happen.
 * @throws Problem of the refusal; busy past the queue's bound. What the http room knows to answer passes through.
 */
export async function postOrRefuse(ledger: Ledger, command: PostCommand): Promise<Posted> {
  const verdict = await postNow(ledger, command)
  if (verdict.outcome === 'refused') throw refusalProblem(verdict.reason)
  return verdict
}

/**
 * Runs the judgement that comes before the ledger's, such as finding the payee. If it refuses a request that had
 * been posted before, the first answer stands all the same: the world may have changed since (a payee took another
 * handle, a quote was cleared away, prices have grown stale), what was done has not.
 */
export async function judgedOrReplayed<T>(
  ledger: Ledger,
  request: KeyedRequest,
  judge: () => Promise<T>,
): Promise<{ readonly judged: T } | { readonly replay: Posted }> {
  try {
    return { judged: await judge() }
  } catch (refusal) {
    if (!(refusal instanceof Problem)) throw refusal
    const replay = await findReplay(ledger, request)
    if (replay === null) throw refusal
    return { replay }
  }
}

/**
 * What this key was answered before, or null. The ledger looks at the key first and at the time second: a command
 * that has long expired is therefore a question, which can be answered but never posts.
 * @throws Problem idempotency_key_reused
 */
async function findReplay(ledger: Ledger, request: KeyedRequest): Promise<Posted | null> {
  const verdict = await postNow(ledger, {
    kind: 'deposit',
    scope: request.walletId,
    key: request.key,
    requestHash: request.requestHash,
    postings: [questionPosting(request.walletId)],
    notAfter: new Date(0),
  })
  if (verdict.outcome === 'posted') return verdict
  if (verdict.reason === 'expired') return null
  throw refusalProblem(verdict.reason)
}

/** Names two accounts of the asker's own, so that asking makes nobody wait. They need not exist. */
function questionPosting(walletId: bigint): Posting {
  return {
    from: accountId({ walletId, assetId: 1, purpose: PURPOSE.available }),
    to: accountId({ walletId, assetId: 1, purpose: PURPOSE.reserved }),
    amount: 1n,
  }
}

async function postNow(ledger: Ledger, command: PostCommand): ReturnType<Ledger['post']> {
  try {
    return await ledger.post(command)
  } catch (error) {
    if (error instanceof LedgerBusy) {
      throw new Problem('busy', { retryAfterSeconds: error.retryAfterSeconds, cause: error })
    }
    throw error
  }
}
