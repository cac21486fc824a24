import type { NamedStatement, Tx } from '#db'
import type { QueryResult } from 'pg'
import { lockHead, lockStatements, readState, readStatements, sealBatch, verdictsOf } from './batch.ts'
import { decide } from './decide.ts'
import { JOURNALS_PER_BLOCK_MAX } from './journal-id.ts'
import type { LockedAccounts } from './ledger.ts'
import { prepareCommand, type PreparedCommand } from './prepare-command.ts'
import { planByIndexOnly } from './statements.ts'
import type { PostCommand, Verdict } from './types.ts'

/** Posts in the caller's tx; the caller's own locks, if any, were taken between the accounts and this. */
export async function postWithin(tx: Tx, commands: PostCommand[], clock: () => Date): Promise<Verdict[]> {
  const prepared = prepareAll(commands)
  const accountIds = prepared.flatMap((command) => command.accountIds)
  const opens = prepared.flatMap((command) => [...command.opens])
  return post(tx, [planByIndexOnly(), ...lockStatements(accountIds, opens)], prepared, clock)
}

/** Locks, and lets the caller take its own rows before it posts. Missing accounts are opened first. */
export async function lockAccounts(
  tx: Tx,
  accounts: { accountIds: Iterable<bigint>; opens: Iterable<bigint> },
  clock: () => Date,
): Promise<LockedAccounts> {
  const locks = lockStatements(accounts.accountIds, accounts.opens)
  const state = await readState((statements) => runInTurn(tx, statements), [planByIndexOnly(), ...locks])
  const locked = new Set(accounts.accountIds)
  return {
    balances: new Map([...state.accounts.values()].map(({ id, balance }) => [id, balance])),
    post: (commands) => {
      const prepared = prepareAll(commands)
      for (const id of prepared.flatMap(({ accountIds }) => accountIds)) {
        if (!locked.has(id)) throw new TypeError(`account ${id} is posted without having been locked first`)
      }
      // The rows are locked, so reading them again takes no new lock; what was posted in between is seen.
      return post(tx, lockStatements(locked, []), prepared, clock)
    },
  }
}

/**
 * The chain head is taken before the keys are read, so that nobody can use one of them in between: the poster leaves
 * that race to the unique index and tries again, but here a violation would undo the caller's tx.
 */
async function post(
  tx: Tx,
  locks: NamedStatement[],
  prepared: PreparedCommand[],
  clock: () => Date,
): Promise<Verdict[]> {
  if (prepared.length === 0) return []
  const run = (statements: NamedStatement[]) => runInTurn(tx, statements)
  const { accounts } = await readState(run, locks)
  const head = await lockHead(run)
  const state = await readState(run, readStatements(prepared))
  const decision = decide({ ...state, accounts, now: clock() }, prepared)
  if (decision.journals.length === 0) return verdictsOf(decision, null)
  const sealed = sealBatch(decision, head, clock())
  await run(sealed.statements)
  return verdictsOf(decision, sealed)
}

function prepareAll(commands: PostCommand[]): PreparedCommand[] {
  if (commands.length > JOURNALS_PER_BLOCK_MAX)
    throw new TypeError(`more than ${JOURNALS_PER_BLOCK_MAX} commands`)
  return commands.map(prepareCommand)
}

/** A caller's connection is not pipelined. */
async function runInTurn(tx: Tx, statements: NamedStatement[]): Promise<QueryResult[]> {
  const results: QueryResult[] = []
  for (const statement of statements) results.push(await tx.query(statement))
  return results
}
