import type { Queryable } from '#db'
import { accountParts } from './account-id.ts'
import { heightOf, parseJournalId, seqOf } from './journal-id.ts'
import { refOf, type JournalRow } from './journal-row.ts'
import { JOURNAL_COLUMNS } from './statements.ts'
import { JOURNAL_KINDS, type JournalKind, type JournalRef } from './types.ts'

export interface Balance {
  assetId: number
  purpose: number
  balance: bigint
}

/** Every account of a wallet that was ever opened: one range of the primary key. */
export async function balances(q: Queryable, walletId: bigint): Promise<Balance[]> {
  const { rows } = await q.query<{ id: bigint; balance: bigint }>({
    name: 'ledger_balances',
    text: `select id, balance from ledger.accounts where id >= $1 and id < $2 order by id`,
    values: [walletId << 27n, (walletId + 1n) << 27n],
  })
  return rows.map(({ id, balance }) => {
    const { assetId, purpose } = accountParts(id)
    return { assetId, purpose, balance }
  })
}

/** One account's balance now; 0 for an account that was never opened. */
export async function balanceOf(q: Queryable, accountId: bigint): Promise<bigint> {
  const { rows } = await q.query<{ balance: bigint }>({
    name: 'ledger_balance_of',
    text: `select balance from ledger.accounts where id = $1`,
    values: [accountId],
  })
  return rows[0]?.balance ?? 0n
}

/**
 * The balance as it was recorded at a moment, that moment included. Time and seq grow together, and so do an
 * account's seqs and versions: the last block at that time, then a binary search over the account's versions, about
 * 20 look-ups of the primary key for a million entries, instead of walking back from today.
 */
export async function balanceAt(q: Queryable, accountId: bigint, at: Date): Promise<bigint> {
  const { rows } = await q.query<{ balance: bigint }>({
    name: 'ledger_balance_at',
    text: `
      with recursive cut as (
        select coalesce(
          (select height from ledger.blocks where sealed_at <= $2 order by sealed_at desc, height desc limit 1), 0
        ) * 4096 + 4095 as seq
      ), search (low, high) as (
        select 0::bigint, version from ledger.accounts where id = $1
        union all
        select case when entries.seq <= cut.seq then middle else low end,
          case when entries.seq <= cut.seq then high else middle - 1 end
        from (select low, high, (low + high + 1) / 2 as middle from search where low < high) half
        join ledger.entries on entries.account_id = $1 and entries.version = middle
        cross join cut
      )
      select entries.balance_after as balance
      from search join ledger.entries on entries.account_id = $1 and entries.version = search.low
      where search.low = search.high`,
    values: [accountId, at],
  })
  return rows[0]?.balance ?? 0n
}

/** Null for an id that no journal has. Whether the asker may see it is the caller's to judge. */
export async function journal(q: Queryable, id: string): Promise<JournalRef | null> {
  const parts = parseJournalId(id)
  if (parts === null) return null
  const [found] = await journalsBySeq(q, [parts.seq])
  return found !== undefined && found.recordedAt.getTime() === parts.recordedAtMs ? found : null
}

/** In order of seq; those that do not exist are left out. */
export async function journalsBySeq(q: Queryable, seqs: bigint[]): Promise<JournalRef[]> {
  const { rows } = await q.query<JournalRow>({
    name: 'ledger_journals_by_seq',
    text: `
      select ${JOURNAL_COLUMNS} from ledger.journals journal where journal.seq = any ($1::bigint[])
      order by journal.seq`,
    values: [seqs],
  })
  return rows.map(refOf)
}

/**
 * The journals of up to `limit` blocks from this height on, whole blocks only: the event stream's source. Continue
 * at the last journal's block height + 1. Nothing is ever inserted behind a height that was read.
 */
export async function journalsOfBlocks(
  q: Queryable,
  fromHeight: bigint,
  limit: number,
): Promise<JournalRef[]> {
  const { rows } = await q.query<JournalRow>({
    name: 'ledger_journals_of_blocks',
    text: `
      select ${JOURNAL_COLUMNS} from ledger.journals journal where journal.seq >= $1 and journal.seq < $2
      order by journal.seq`,
    values: [seqOf(fromHeight, 0), seqOf(fromHeight + BigInt(limit), 0)],
  })
  return rows.map(refOf)
}

export interface ChainHead {
  height: bigint
  hash: Buffer
  lastRecordedAt: Date
}

/** The last block that is committed; height 0 before the first. */
export async function headOf(q: Queryable): Promise<ChainHead> {
  const { rows } = await q.query<ChainHead>({
    name: 'ledger_head_of',
    text: `select height, hash, last_recorded_at as "lastRecordedAt" from ledger.chain_head`,
  })
  const [head] = rows
  if (head === undefined) throw new Error('the chain head is missing')
  return head
}

/**
 * Seqs of the journals that touch a customer's wallet, newest first: its feed. One short range of `entries_feed` per
 * kind, merged, so that a page costs the same for a wallet of ten operations and of ten million.
 */
export async function journalSeqsOfWallet(
  q: Queryable,
  feed: { walletId: bigint; kinds?: JournalKind[]; beforeSeq?: bigint; limit: number },
): Promise<bigint[]> {
  const kinds = feed.kinds?.map((kind) => JOURNAL_KINDS[kind]) ?? Object.values(JOURNAL_KINDS)
  const { rows } = await q.query<{ seq: bigint }>({
    name: 'ledger_feed',
    text: `
      select distinct page.seq from unnest($2::bigint[]) wanted (kind)
      cross join lateral (
        select distinct seq from ledger.entries
        where ((account_id >> 27) << 6 | entries.kind) = ($1::bigint << 6 | wanted.kind)
          and account_id >= 134217728000 and seq < $3
        order by seq desc limit $4
      ) page
      order by page.seq desc limit $4`,
    values: [feed.walletId, kinds, feed.beforeSeq ?? seqOf(heightOf(2n ** 62n), 0), feed.limit],
  })
  return rows.map(({ seq }) => seq)
}
