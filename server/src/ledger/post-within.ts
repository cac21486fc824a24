import type { NamedStatement, Tx } from '#db'
import { lockStatements, readState, readStatements, sealBatch, verdictsOf } from './batch.ts'
import type { ReadState } from './batch.ts'
import { decide } from './decide.ts'
import { JOURNALS_PER_BLOCK_MAX } from './journal-id.ts'
import type { KnownAccounts } from './known-accounts.ts'
import type { Alongside, LockedAccounts } from './ledger.ts'
import { prepareCommand, type PreparedCommand } from './prepare-command.ts'
import { lockChainHead, applySettings, resultsOf, type Run } from './statements.ts'
import type { PostCommand, Verdict } from './types.ts'

interface Terms {
  clock: () => Date
  known: KnownAccounts
}

/** Posts in the caller's tx; the caller's own locks, if any, were taken between the accounts and this. */
export async function postWithin(
  tx: Tx,
  commands: PostCommand[],
  { clock, known, alongside }: Terms & { alongside?: Alongside | undefined },
): Promise<Verdict[]> {
  const prepared = prepareAll(commands)
  const accountIds = new Set(prepared.flatMap((command) => command.accountIds))
  const opens = known.unknownOf(new Set(prepared.flatMap((command) => [...command.opens])))
  const locks = [applySettings(), ...lockStatements(accountIds, opens)]
  const learn = (state: ReadState) => learnFrom(known, accountIds, opens, state)
  return post(tx, { locks, accounts: null, learn }, prepared, { clock, alongside })
}

/** Locks, and lets the caller take its own rows before it posts. Missing accounts are opened first. */
export async function lockAccounts(
  tx: Tx,
  accounts: { accountIds: Iterable<bigint>; opens: Iterable<bigint> },
  { clock, known }: Terms,
): Promise<LockedAccounts> {
  const locked = new Set(accounts.accountIds)
  const opens = known.unknownOf(accounts.opens)
  const state = await readState(runIn(tx), [applySettings(), ...lockStatements(locked, opens)])
  learnFrom(known, locked, opens, state)
  let unposted = true
  return {
    balances: new Map([...state.accounts.values()].map(({ id, balance }) => [id, balance])),
    post: async (commands, alongside) => {
      const prepared = prepareAll(commands)
      for (const id of prepared.flatMap(({ accountIds }) => accountIds)) {
        if (!locked.has(id)) throw new TypeError(`account ${id} is posted without having been locked first`)
      }
      // As they were locked they still are, until something is posted; then they are read again.
      const before = unposted
        ? { locks: [], accounts: state.accounts }
        : { locks: lockStatements(locked, []), accounts: null }
      unposted = false
      return post(tx, { ...before, learn: () => {} }, prepared, { clock, alongside })
    },
  }
}

/** What this tx has opened itself is gone again if it is undone, so the next one finds out about it. */
function learnFrom(
  known: KnownAccounts,
  locked: ReadonlySet<bigint>,
  opens: readonly bigint[],
  { accounts, opened }: ReadState,
): void {
  known.requireThere([...locked].filter((id) => !accounts.has(id)))
  known.remember(opens.filter((id) => accounts.has(id) && !opened.has(id)))
}

interface Locked {
  readonly locks: NamedStatement[]
  /** Null: the locks read them. */
  readonly accounts: ReadState['accounts'] | null
  readonly learn: (state: ReadState) => void
}

/**
 * The chain head is taken before the keys are read, so that nobody can use one of them in between: the poster leaves
 * that race to the unique index and tries again, but here a violation would undo the caller's tx. Two round trips.
 */
async function post(
  tx: Tx,
  { locks, accounts, learn }: Locked,
  prepared: PreparedCommand[],
  { clock, alongside }: { clock: () => Date; alongside?: Alongside | undefined },
): Promise<Verdict[]> {
  if (prepared.length === 0) return []
  const run = runIn(tx)
  const read = await readState(run, [...locks, lockChainHead(), ...readStatements(prepared)])
  learn(read)
  const state = accounts === null ? read : { ...read, accounts }
  const decision = decide({ ...state, now: clock() }, prepared)
  const sealed = decision.journals.length === 0 ? null : sealBatch(decision, read.head, clock())
  const verdicts = verdictsOf(decision, sealed)
  const [written, told] = await Promise.allSettled([run(sealed?.statements ?? []), alongside?.(verdicts)])
  if (written.status === 'rejected') throw written.reason
  if (told.status === 'rejected') throw told.reason
  return verdicts
}

/** All at once: the pool's connections are pipelined, so this costs one round trip. */
function runIn(tx: Tx): Run {
  return async (statements) =>
    resultsOf(await Promise.allSettled(statements.map((statement) => tx.query(statement))))
}

function prepareAll(commands: PostCommand[]): PreparedCommand[] {
  if (commands.length > JOURNALS_PER_BLOCK_MAX)
    throw new TypeError(`more than ${JOURNALS_PER_BLOCK_MAX} commands`)
  return commands.map(prepareCommand)
}
