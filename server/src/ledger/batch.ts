import { assetIdOf, floorOf } from './account-id.ts'
import { hashBlock, merkleRoot } from './chain.ts'
import type { AccountState, Decision, DraftVerdict, LedgerState } from './decide.ts'
import { journalId, seqOf } from './journal-id.ts'
import { refOf, type JournalRow } from './journal-row.ts'
import { lookupOf, type PreparedCommand } from './prepare-command.ts'
import {
  insertEntries,
  insertJournals,
  lockAccountRows,
  openAccounts,
  readAssets,
  readByKey,
  readConsumed,
  readOriginals,
  sealBlock,
  updateAccounts,
  type Run,
} from './statements.ts'
import type { NamedStatement } from '#db'
import type { JournalRef, Verdict } from './types.ts'

/** The steps of posting, shared by the poster and by postWithin; what differs is who begins and commits. */

/**
 * Lock order, first part: opens what is missing and locks the accounts, ascending. Accounts are opened before any
 * lock and in the same order, so that opening cannot deadlock with locking.
 */
export function lockStatements(accountIds: Iterable<bigint>, opens: Iterable<bigint>): NamedStatement[] {
  const opened = [...new Set(opens)].toSorted(ascending).map((id) => ({ id, floor: floorOf(id) }))
  const locked = lockAccountRows([...new Set(accountIds)].toSorted(ascending))
  return opened.length === 0 ? [locked] : [openAccounts(opened), locked]
}

/** Everything else that a judgement needs. Sent behind the locks, so nothing that it reads can still change. */
export function readStatements(commands: PreparedCommand[]): NamedStatement[] {
  const assetIds = new Set(commands.flatMap(({ accountIds }) => accountIds.map(assetIdOf)))
  const consumes = commands.flatMap((command) => command.consumes ?? [])
  const originals = commands.flatMap(({ original }) => original?.seq ?? [])
  const statements = [readAssets([...assetIds].map(BigInt)), readByKey(commands)]
  if (consumes.length > 0) statements.push(readConsumed(consumes))
  if (originals.length > 0) statements.push(readOriginals(originals))
  return statements
}

/** What the statements found. */
export interface ReadState extends Omit<LedgerState, 'now'> {
  /** Accounts that did not exist before this tx. */
  opened: ReadonlySet<bigint>
  /** Null unless it was locked with them. */
  head: LockedHead | null
}

export interface LockedHead {
  height: bigint
  lastRecordedAt: Date
  hash: Buffer
}

/** Runs the statements together and gathers the answers by their names. */
export async function readState(run: Run, statements: NamedStatement[]): Promise<ReadState> {
  const results = await run(statements)
  const rowsOf = <Row>(name: string): Row[] =>
    statements.flatMap((statement, index) => (statement.name === name ? (results[index]?.rows as Row[]) : []))
  const accounts = rowsOf<AccountState>('ledger_lock')
  const assets = rowsOf<{ id: number; frozen: boolean }>('ledger_assets')
  const known = rowsOf<JournalRow & { keyHash: Buffer }>('ledger_keys')
  const originals = rowsOf<JournalRow>('ledger_originals')
  return {
    accounts: new Map(accounts.map((account) => [account.id, account])),
    opened: new Set(rowsOf<{ id: bigint }>('ledger_open').map(({ id }) => id)),
    frozenByAsset: new Map(assets.map(({ id, frozen }) => [id, frozen])),
    byKey: new Map(known.map((row) => [lookupOf(row.keyHash), row])),
    consumed: new Set(rowsOf<{ consumes: string }>('ledger_consumed').map(({ consumes }) => consumes)),
    originals: new Map(originals.map((row) => [row.seq, row])),
    head: rowsOf<LockedHead>('ledger_head')[0] ?? null,
  }
}

export interface SealedBlock {
  height: bigint
  sealedAt: Date
  /** What is to be written. */
  statements: NamedStatement[]
}

/**
 * Height and time are those of the locked head's successor, so seq, recorded_at and the order of commits agree; the
 * time never runs backwards, even if the clocks of two processes differ.
 */
export function sealBatch(decision: Decision, head: LockedHead | null, now: Date): SealedBlock {
  if (head === null) throw new Error('the chain head is missing')
  const height = head.height + 1n
  const sealedAt = new Date(Math.max(now.getTime(), head.lastRecordedAt.getTime()))
  const sealedAtMicros = BigInt(sealedAt.getTime()) * 1000n
  const { journals, entries, changed } = decision
  const header = {
    height,
    previousHash: head.hash,
    journalsRoot: merkleRoot(journals.map(leafOf)),
    journalCount: journals.length,
    sealedAtMicros,
  }
  const statements = [
    insertJournals(journals, height, sealedAtMicros),
    insertEntries(entries, journals, height),
    updateAccounts(changed),
    sealBlock({ ...header, hash: hashBlock(header) }),
  ]
  return { height, sealedAt, statements }
}

/** @param sealed null when nothing was posted. */
export function verdictsOf(decision: Decision, sealed: SealedBlock | null): Verdict[] {
  return decision.verdicts.map((draft) => verdictOf(draft, decision.journals, sealed))
}

function verdictOf(draft: DraftVerdict, journals: PreparedCommand[], sealed: SealedBlock | null): Verdict {
  if (draft.outcome === 'refused') return draft
  if (draft.outcome === 'replayed')
    return { outcome: 'posted', replayed: true, journal: refOf(draft.journal) }
  const prepared = journals[draft.position]
  if (prepared === undefined || sealed === null) throw new Error('a posted command without its journal')
  return { outcome: 'posted', replayed: draft.replayed, journal: newRef(prepared, sealed, draft.position) }
}

function newRef(
  { command }: PreparedCommand,
  { height, sealedAt }: SealedBlock,
  position: number,
): JournalRef {
  const seq = seqOf(height, position)
  return {
    id: journalId(sealedAt, seq),
    seq,
    blockHeight: height,
    recordedAt: sealedAt,
    effectiveAt: command.effectiveAt ?? sealedAt,
    kind: command.kind,
    scope: command.scope,
    postings: command.postings,
    reverses: command.reverses ?? null,
    detail: command.detail ?? null,
  }
}

function leafOf({ leaf }: PreparedCommand): Buffer {
  if (leaf === null) throw new Error('an amount that does not fit was posted')
  return leaf
}

function ascending(one: bigint, other: bigint): number {
  return one < other ? -1 : one > other ? 1 : 0
}
