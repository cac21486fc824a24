import { assetIdOf } from './account-id.ts'
import { postingsOf, type JournalRow } from './journal-row.ts'
import type { PreparedCommand } from './prepare-command.ts'
import type { Posting, RefusalDetail, RefusalReason } from './types.ts'

const INT8_MAX = 2n ** 63n - 1n
const INT8_MIN = -(2n ** 63n)

export interface AccountState {
  id: bigint
  balance: bigint
  /** Null: no floor. */
  floor: bigint | null
  version: bigint
}

/** Everything a judgement depends on, read after the accounts were locked. */
export interface LedgerState {
  /** The locked accounts that exist. */
  accounts: ReadonlyMap<bigint, AccountState>
  /** The assets that exist; true when frozen. */
  frozenByAsset: ReadonlyMap<number, boolean>
  /** Journals that already bear one of the commands' keys, by `lookup`. */
  byKey: ReadonlyMap<string, JournalRow>
  /** Which of the commands' `consumes` are taken. */
  consumed: ReadonlySet<string>
  /** Journals that the commands want to reverse, by seq. */
  originals: ReadonlyMap<bigint, JournalRow>
  now: Date
}

export interface EntryDraft {
  accountId: bigint
  version: bigint
  amount: bigint
  balanceAfter: bigint
  /** Index in `Decision.journals`. */
  position: number
}

export type DraftVerdict =
  /** A new journal, or a later command of this batch with the key of one: index in `Decision.journals`. */
  | { outcome: 'posted'; replayed: boolean; position: number }
  | { outcome: 'replayed'; journal: JournalRow }
  | { outcome: 'refused'; reason: RefusalReason; detail: RefusalDetail }

export interface Decision {
  /** One per command, in order. */
  verdicts: DraftVerdict[]
  journals: PreparedCommand[]
  entries: EntryDraft[]
  /** The accounts as they are to be stored. */
  changed: AccountState[]
}

type Refusal = Extract<DraftVerdict, { outcome: 'refused' }>

/**
 * Judges commands in order, each all or nothing: a refusal leaves its neighbours untouched, and a later command sees
 * what earlier ones did, their keys and single uses included. Pure: no clock, no I/O.
 */
export function decide(state: LedgerState, commands: readonly PreparedCommand[]): Decision {
  const decision: Decision = { verdicts: [], journals: [], entries: [], changed: [] }
  const accounts = new Map<bigint, AccountState>()
  const positionByKey = new Map<string, number>()
  const consumedNow = new Set<string>()
  for (const command of commands) {
    const verdict =
      findReplay(state, positionByKey, decision.journals, command) ??
      refuseCommand(state, consumedNow, command) ??
      applyPostings(state, accounts, decision, command)
    decision.verdicts.push(verdict)
    if (verdict.outcome !== 'posted' || verdict.replayed) continue
    positionByKey.set(command.lookup, verdict.position)
    if (command.consumes !== null) consumedNow.add(command.consumes)
  }
  decision.changed = [...accounts.values()]
  return decision
}

function refused(reason: RefusalReason, detail: RefusalDetail = {}): Refusal {
  return { outcome: 'refused', reason, detail }
}

/** A key that was used answers as it did the first time, whatever has changed since. */
function findReplay(
  state: LedgerState,
  positionByKey: ReadonlyMap<string, number>,
  journals: readonly PreparedCommand[],
  { lookup, command }: PreparedCommand,
): DraftVerdict | null {
  const position = positionByKey.get(lookup)
  const known = state.byKey.get(lookup)
  const first = position === undefined ? known?.requestHash : journals[position]?.command.requestHash
  if (first === undefined) return null
  if (!first.equals(command.requestHash)) return refused('key_reused')
  if (position !== undefined) return { outcome: 'posted', replayed: true, position }
  return known === undefined ? null : { outcome: 'replayed', journal: known }
}

/** What can be refused without looking at a balance. */
function refuseCommand(
  state: LedgerState,
  consumedNow: ReadonlySet<string>,
  prepared: PreparedCommand,
): Refusal | null {
  const { command, consumes } = prepared
  if (command.notAfter !== undefined && state.now > command.notAfter) return refused('expired')
  for (const [index, posting] of command.postings.entries()) {
    const reason = refusePosting(state, posting)
    if (reason !== null) return refused(reason, { posting: index })
  }
  const reason = command.reverses === undefined ? null : refuseReversal(state, prepared)
  if (reason !== null) return refused(reason)
  if (consumes !== null && (state.consumed.has(consumes) || consumedNow.has(consumes))) {
    return refused('already_consumed')
  }
  return null
}

function refusePosting(state: LedgerState, { from, to, amount }: Posting): RefusalReason | null {
  if (amount <= 0n) return 'non_positive_amount'
  if (amount > INT8_MAX) return 'overflow'
  if (from === to) return 'same_account'
  const assetId = assetIdOf(from)
  if (assetId !== assetIdOf(to)) return 'asset_mismatch'
  const frozen = state.frozenByAsset.get(assetId)
  if (frozen === undefined) return 'unknown_asset'
  return frozen ? 'asset_frozen' : null
}

/** A reversal is the whole of its original with the sides changed; that it is the only one, `consumes` ensures. */
function refuseReversal(state: LedgerState, { original, command }: PreparedCommand): RefusalReason | null {
  const journal = original === null ? undefined : state.originals.get(original.seq)
  if (journal === undefined || journal.recordedAt.getTime() !== original?.recordedAtMs)
    return 'unknown_original'
  return movesOf(mirrorOf(postingsOf(journal.postings))) === movesOf(command.postings)
    ? null
    : 'exceeds_original'
}

/** Last posting first: undone in the opposite order, an account passes through no balance that it did not have. */
export function mirrorOf(postings: readonly Posting[]): Posting[] {
  return postings.map(({ from, to, amount }) => ({ from: to, to: from, amount })).toReversed()
}

/** Equal for the same moves in any order. */
function movesOf(postings: readonly Posting[]): string {
  return postings
    .map(({ from, to, amount }) => `${from}>${to}:${amount}`)
    .toSorted()
    .join()
}

/** Moves the postings in order on copies, and keeps the copies only if every step holds. */
function applyPostings(
  state: LedgerState,
  accounts: Map<bigint, AccountState>,
  decision: Decision,
  prepared: PreparedCommand,
): DraftVerdict {
  const position = decision.journals.length
  const copies = new Map<bigint, AccountState>()
  for (const id of prepared.accountIds) {
    const account = accounts.get(id) ?? state.accounts.get(id)
    if (account === undefined) return refused('unknown_account', { accountId: id })
    copies.set(id, { ...account })
  }
  const entries: EntryDraft[] = []
  for (const [index, { from, to, amount }] of prepared.command.postings.entries()) {
    for (const [accountId, change] of [[from, -amount] as const, [to, amount] as const]) {
      const account = copies.get(accountId)
      if (account === undefined) return refused('unknown_account', { accountId })
      const reason = move(account, change)
      if (reason !== null) return refused(reason, { posting: index, accountId, balance: account.balance })
      entries.push({
        accountId,
        version: account.version,
        amount: change,
        balanceAfter: account.balance,
        position,
      })
    }
  }
  for (const copy of copies.values()) accounts.set(copy.id, copy)
  decision.journals.push(prepared)
  decision.entries.push(...entries)
  return { outcome: 'posted', replayed: false, position }
}

/** Changes the copy, or says why not. The floor holds at every step, so no entry ever shows less. */
function move(account: AccountState, change: bigint): RefusalReason | null {
  const balance = account.balance + change
  if (balance > INT8_MAX || balance < INT8_MIN) return 'overflow'
  if (change < 0n && account.floor !== null && balance < account.floor) return 'insufficient_funds'
  account.balance = balance
  account.version += 1n
  return null
}
