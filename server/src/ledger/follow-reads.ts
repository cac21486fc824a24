import type { Queryable } from '#db'
import { int8s } from './array-parameters.ts'
import { JOURNAL_KINDS, type JournalKind } from './types.ts'

/** Reads for whoever follows the ledger forwards, block by block or one wallet's journals at a time. */

export interface BlockSize {
  height: bigint
  journalCount: number
}

/** The blocks behind this height, in order. Committed ones only, and without gaps. */
export async function blocksAfter(q: Queryable, height: bigint, limit: number): Promise<BlockSize[]> {
  const { rows } = await q.query<BlockSize>({
    name: 'ledger_blocks_after',
    text: `
      select height, journal_count as "journalCount" from ledger.blocks
      where height > $1 order by height limit $2`,
    values: [height, limit],
  })
  return rows
}

/** Seqs of the journals that touch a customer's wallet behind this one, oldest first: its feed, read forwards. */
export async function journalSeqsAfter(
  q: Queryable,
  walletId: bigint,
  seq: bigint,
  limit: number,
): Promise<bigint[]> {
  const { rows } = await q.query<{ seq: bigint }>({
    name: 'ledger_feed_after',
    text: `
      select distinct page.seq from unnest($2::bigint[]) wanted (kind)
      cross join lateral (
        select distinct seq from ledger.entries
        where ((account_id >> 27) << 6 | entries.kind) = ($1::bigint << 6 | wanted.kind)
          and account_id >= 134217728000 and seq > $3
        order by seq limit $4
      ) page
      order by page.seq limit $4`,
    values: [walletId, Object.values(JOURNAL_KINDS), seq, limit],
  })
  return rows.map((row) => row.seq)
}

export interface LastEntry {
  seq: bigint
  accountId: bigint
  /** What the account held right after this journal. */
  balanceAfter: bigint
}

/**
 * What each account of these customers' wallets that a journal touched held after it. One look-up of `entries_feed`
 * per pair of journal and wallet; `offset 0` keeps the planner from joining by reading all entries.
 */
export async function lastEntries(
  q: Queryable,
  pairs: readonly { walletId: bigint; kind: JournalKind; seq: bigint }[],
): Promise<LastEntry[]> {
  const { rows } = await q.query<LastEntry>({
    name: 'ledger_last_entries',
    text: `
      select last.seq, last.account_id as "accountId", last.balance_after as "balanceAfter"
      from unnest($1::bigint[], $2::bigint[]) wanted (feed, seq)
      cross join lateral (
        select distinct on (account_id) seq, account_id, balance_after from ledger.entries
        where ((account_id >> 27) << 6 | kind) = wanted.feed and account_id >= 134217728000
          and entries.seq = wanted.seq
        order by account_id, version desc
        offset 0
      ) last`,
    values: [
      int8s(pairs.map(({ walletId, kind }) => (walletId << 6n) | BigInt(JOURNAL_KINDS[kind]))),
      int8s(pairs.map(({ seq }) => seq)),
    ],
  })
  return rows
}

/**
 * What these accounts held just before a journal; those without an entry before it are left out. The last entry is
 * tried first, since who follows closely finds it there; else a binary search over the account's versions.
 */
export async function balancesBefore(
  q: Queryable,
  accountIds: readonly bigint[],
  seq: bigint,
): Promise<Map<bigint, bigint>> {
  const { rows } = await q.query<{ id: bigint; balance: bigint }>({
    name: 'ledger_balances_before',
    text: `
      with recursive search (id, low, high) as (
        select accounts.id, case when last.seq < $2 then last.version else 0 end,
          case when last.seq < $2 then last.version else last.version - 1 end
        from unnest($1::bigint[]) wanted (id)
        join ledger.accounts on accounts.id = wanted.id
        join ledger.entries last on last.account_id = accounts.id and last.version = accounts.version
        union all
        select half.id, case when entries.seq < $2 then middle else low end,
          case when entries.seq < $2 then high else middle - 1 end
        from (select id, low, high, (low + high + 1) / 2 as middle from search where low < high) half
        join ledger.entries on entries.account_id = half.id and entries.version = half.middle
      )
      select search.id, entries.balance_after as balance
      from search join ledger.entries on entries.account_id = search.id and entries.version = search.low
      where search.low = search.high and search.low > 0`,
    values: [int8s(accountIds), seq],
  })
  return new Map(rows.map(({ id, balance }) => [id, balance]))
}
