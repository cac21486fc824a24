import type { Queryable } from '#db'
import { accountId, JOURNAL_KINDS, journalSeqsOfWallet, type JournalKind } from '#ledger'
import { SEQ_END } from './filter.ts'
import { stretchOf, type Source } from './source.ts'

/** Of one account, at most, in the usual case: an amount and a fee. With more, a seek returns fewer operations. */
const ENTRIES_PER_OPERATION = 2

/** A wallet's operations of one kind, or of all: the ledger's index of feeds. */
export function feedSource(walletId: bigint, kind: JournalKind | null): Source {
  return {
    seek: async (q, below, count) => {
      const kinds = kind === null ? {} : { kinds: [kind] }
      const seqs = await journalSeqsOfWallet(q, { walletId, beforeSeq: below, limit: count, ...kinds })
      return stretchOf(seqs, count)
    },
  }
}

/** Operations that moved one asset, for any purpose: its accounts' own entries. */
export function assetSource(walletId: bigint, assetId: number): Source {
  const firstAccount = accountId({ walletId, assetId, purpose: 0 })
  return {
    seek: async (q, below, count) => {
      const limit = count * ENTRIES_PER_OPERATION
      const { seqs, reached } = stretchOf(await entrySeqs(q, firstAccount, below, limit), limit)
      return { seqs: [...new Set(seqs)], reached }
    },
  }
}

/** Transfers between two customers, and any reversal, of which the journal tells whether it is one of theirs. */
export function counterpartySource(walletId: bigint, otherId: bigint): Source {
  return {
    seek: async (q, below, count) =>
      stretchOf(await counterpartySeqs(q, { walletId, otherId, below, count }), count),
  }
}

/**
 * An account's entries are numbered by version, in order of seq but without an index on it, which would cost
 * every transfer 80 bytes: so the place is found by a binary search, about 20 look-ups among a million entries.
 * @returns an entry each, so a seq once per posting of its journal
 */
async function entrySeqs(
  q: Queryable,
  firstAccount: bigint,
  below: bigint,
  limit: number,
): Promise<bigint[]> {
  const { rows } = await q.query<{ seq: bigint }>(
    `with recursive search (account_id, low, high) as (
       select id, case when $2 = ${SEQ_END} then version else 0 end, version + 1
       from ledger.accounts where id >= $1 and id < $1::bigint + 128
       union all
       select account_id, case when entries.seq < $2 then middle else low end,
         case when entries.seq < $2 then high else middle end
       from (select account_id as id, low, high, (low + high) / 2 as middle from search
             where high - low > 1) half
       join ledger.entries on entries.account_id = half.id and entries.version = half.middle
     )
     select page.seq
     from (select account_id, low from search where high - low = 1 and low > 0) place
     cross join lateral (
       select entries.seq from ledger.entries
       where entries.account_id = place.account_id and entries.version <= place.low
       order by entries.version desc limit $3
     ) page
     order by page.seq desc limit $3`,
    [firstAccount, below, limit],
  )
  return rows.map(({ seq }) => seq)
}

/**
 * The first expression is that of the index journals_transfer_pair, or it would not be used; pairs of large wallet
 * ids can share a number, hence the others.
 */
async function counterpartySeqs(
  q: Queryable,
  wanted: { walletId: bigint; otherId: bigint; below: bigint; count: number },
): Promise<bigint[]> {
  const { rows } = await q.query<{ seq: bigint }>(
    `(select seq from ledger.journals
      where kind = ${JOURNAL_KINDS.transfer}
        and ((least(postings[1] >> 27, postings[2] >> 27) << 27) # greatest(postings[1] >> 27, postings[2] >> 27))
          = ((least($1::bigint, $2::bigint) << 27) # greatest($1::bigint, $2::bigint))
        and least(postings[1] >> 27, postings[2] >> 27) = least($1::bigint, $2::bigint)
        and seq < $3
      order by seq desc limit $4)
     union
     (select distinct seq from ledger.entries
      where ((account_id >> 27) << 6 | kind) = ($1::bigint << 6 | ${JOURNAL_KINDS.reversal})
        and account_id >= 134217728000 and seq < $3
      order by seq desc limit $4)
     order by seq desc limit $4`,
    [wanted.walletId, wanted.otherId, wanted.below, wanted.count],
  )
  return rows.map(({ seq }) => seq)
}
