import type { NamedStatement, Tx } from '#db'
import { lockStatements, readState, readStatements, sealBatch, verdictsOf } from './batch.ts'
import { decide } from './decide.ts'
import { JOURNALS_PER_BLOCK_MAX } from './journal-id.ts'
import type { LockedAccounts } from './ledger.ts'
import { prepareCommand, type PreparedCommand } from './prepare-command.ts'
import { lockChainHead, applySettings, resultsOf, type Run } from './statements.ts'
import type { PostCommand, Verdict } from './types.ts'

/** Posts in the caller's tx; the caller's own locks, if any, were taken between the accounts and this. */
export async function postWithin(tx: Tx, commands: PostCommand[], clock: () => Date): Promise<Verdict[]> {
  const prepared = prepareAll(commands)
  const accountIds = prepared.flatMap((command) => command.accountIds)
  const opens = prepared.flatMap((command) => [...command.opens])
  return post(tx, [applySettings(), ...lockStatements(accountIds, opens)], prepared, clock)
}

/** Locks, and lets the caller take its own rows before it posts. Missing accounts are opened first. */
export async function lockAccounts(
  tx: Tx,
  accounts: { accountIds: Iterable<bigint>; opens: Iterable<bigint> },
  clock: () => Date,
): Promise<LockedAccounts> {
  const locked = new Set(accounts.accountIds)
  const state = await readState(runIn(tx), [applySettings(), ...lockStatements(locked, accounts.opens)])
  return {
    balances: new Map([...state.accounts.values()].map(({ id, balance }) => [id, balance])),
    post: async (commands) => {
      const prepared = prepareAll(commands)
      for (const id of prepared.flatMap(({ accountIds }) => accountIds)) {
        if (!locked.has(id)) throw new TypeError(`account ${id} is posted without having been locked first`)
      }
      // Read again, in case the caller posted in between; the rows are locked already.
      return post(tx, lockStatements(locked, []), prepared, clock)
    },
  }
}

/**
 * The chain head is taken before the keys are read, so that nobody can use one of them in between: the poster leaves
 * that race to the unique index and tries again, but here a violation would undo the caller's tx. Two round trips.
 */
async function post(
  tx: Tx,
  locks: NamedStatement[],
  prepared: PreparedCommand[],
  clock: () => Date,
): Promise<Verdict[]> {
  if (prepared.length === 0) return []
  const run = runIn(tx)
  const { head, ...state } = await readState(run, [...locks, lockChainHead(), ...readStatements(prepared)])
  const decision = decide({ ...state, now: clock() }, prepared)
  if (decision.journals.length === 0) return verdictsOf(decision, null)
  const sealed = sealBatch(decision, head, clock())
  await run(sealed.statements)
  return verdictsOf(decision, sealed)
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
