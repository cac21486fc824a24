import type { Tx } from '#db'
import { KnownAccounts } from './known-accounts.ts'
import { lockAccounts, postWithin } from './post-within.ts'
import { Poster, type PosterOptions } from './poster.ts'
import { prepareCommand } from './prepare-command.ts'
import type { PostCommand, Verdict } from './types.ts'

export type LedgerOptions = PosterOptions

/** Accounts locked within the caller's tx; the caller may now take locks of its own rows, then post, once. */
export interface LockedAccounts {
  /** Balances of the locked accounts that exist, to decide with. */
  balances: ReadonlyMap<bigint, bigint>
  /**
   * Takes the chain head, so it is the last thing the caller does in its tx; what it has sent before, it need not
   * have waited for. Every account must have been locked.
   * @param alongside writes rows of the caller's that depend on the verdicts, in the same round trip as the journals
   */
  post(commands: PostCommand[], alongside?: Alongside): Promise<Verdict[]>
}

export type Alongside = (verdicts: readonly Verdict[]) => Promise<void>

export interface Ledger {
  /**
   * Posts in the batching poster's own transactions; resolves after commit.
   * @throws LedgerBusy past the queue's bound; DatabaseUnavailable (#db) when it was certainly not posted, its
   *   subclass OutcomeUnknown when only a retry with the same key can tell; TypeError for a command that no caller
   *   should make (no postings, a key too long, …).
   */
  post(command: PostCommand): Promise<Verdict>
  /**
   * Posts inside the caller's tx, all commands in one block. It must be the last thing that the tx does.
   * @param alongside as of `LockedAccounts.post`
   */
  postWithin(tx: Tx, commands: PostCommand[], alongside?: Alongside): Promise<Verdict[]>
  /**
   * First of the lock order (accounts ascending → the caller's rows → chain head): once per tx, before the rows.
   * From here on the caller's tx is cut off when it does nothing for two seconds, since others wait for it.
   * @param opens those of them that may be opened if they are missing; the commands' own `opens` come too late here.
   */
  lockAccounts(tx: Tx, accountIds: Iterable<bigint>, opens?: Iterable<bigint>): Promise<LockedAccounts>
  /** Commands that wait to be taken into a batch: a gauge. */
  queueDepth(): number
  /** Takes no more, finishes what it took, ends its connections. */
  close(): Promise<void>
}

/** Opens nothing yet: the poster's two connections are made when the first command comes. */
export function openLedger(options: LedgerOptions): Ledger {
  const known = new KnownAccounts()
  const poster = new Poster(options, known)
  const { clock } = options
  return {
    post: async (command) => poster.post(prepareCommand(command)),
    postWithin: (tx, commands, alongside) => postWithin(tx, commands, { clock, known, alongside }),
    lockAccounts: (tx, accountIds, opens = []) =>
      lockAccounts(tx, { accountIds: [...accountIds, ...opens], opens }, { clock, known }),
    queueDepth: () => poster.queueDepth,
    close: () => poster.close(),
  }
}
