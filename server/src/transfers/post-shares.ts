import type { Database, Tx } from '#db'
import { assetIdOf, walletIdOf } from '#ledger'
import type { Ledger, PostCommand, Verdict } from '#ledger'
import { postOrRefuse, refusalProblem } from '#wallets'
import type { Posted } from '#wallets'

/** What goes with shares from one wallet to the other: the lots that they were bought in, and their cost. */
export type MoveHoldings = (
  tx: Tx,
  moved: {
    readonly fromWallet: bigint
    readonly toWallet: bigint
    readonly instrumentId: number
    readonly quantity: bigint
    readonly journalKey: string
  },
) => Promise<void>

export interface PostSharesDeps {
  readonly db: Database
  readonly ledger: Ledger
  /** The room that keeps lots is not ours to know. Without it, shares are moved as any other asset. */
  readonly moveHoldings?: MoveHoldings
}

/** Carries the verdict out of a tx that is to be undone. */
export class Undone extends Error {
  override readonly name = 'Undone'
  readonly verdict: Verdict
  constructor(verdict: Verdict) {
    super('shares were not moved')
    this.verdict = verdict
  }
}

/**
 * Posts a transfer of shares with its lots in one tx. The lots are moved before the ledger has judged the key, since
 * posting comes last: when it turns out a replay or refused, the tx is undone and its verdict is the answer.
 */
export async function postShares(deps: PostSharesDeps, command: PostCommand): Promise<Posted> {
  const { moveHoldings } = deps
  if (moveHoldings === undefined) return postOrRefuse(deps.ledger, command)
  const verdict = await deps.db
    .transaction((tx) => postWithLots(deps.ledger, tx, command, moveHoldings))
    .catch((error: unknown) => {
      if (error instanceof Undone) return error.verdict
      throw error
    })
  if (verdict.outcome === 'refused') throw refusalProblem(verdict.reason)
  return verdict
}

/**
 * A transfer of shares with its lots, within the caller's tx, which is to be undone unless it was posted.
 * @throws Undone when the lots had been moved before the ledger refused
 */
export async function postWithLots(
  ledger: Ledger,
  tx: Tx,
  command: PostCommand,
  moveHoldings: MoveHoldings,
): Promise<Verdict> {
  const [posting] = command.postings
  if (posting === undefined) throw new Error('a transfer without a posting')
  const locked = await ledger.lockAccounts(tx, [posting.from], [posting.to])
  const covered = (locked.balances.get(posting.from) ?? 0n) >= posting.amount
  if (covered) {
    await moveHoldings(tx, {
      fromWallet: walletIdOf(posting.from),
      toWallet: walletIdOf(posting.to),
      instrumentId: assetIdOf(posting.from),
      quantity: posting.amount,
      journalKey: command.key,
    })
  }
  const [verdict] = await locked.post([command])
  if (verdict === undefined) throw new Error('a command without a verdict')
  if (covered && (verdict.outcome === 'refused' || verdict.replayed)) throw new Undone(verdict)
  return verdict
}
