import type { Queryable } from '#db'
import { lookupOf } from './note-words.ts'
import { stretchOf, type Source } from './source.ts'

/** What begins with more words than this is looked for in the list of a shorter beginning. */
const WORDS_MERGED_MAX = 32
/** Behind every word that begins with the text before it. */
const LAST_CHARACTER = '\u{10ffff}'

/** Operations listed under any of these terms, as far as the wallet's index goes. */
export function termsSource(walletId: bigint, terms: readonly string[]): Source {
  return {
    seek: async (q, below, count) => stretchOf(await listedSeqs(q, { walletId, terms, below, count }), count),
  }
}

/** Operations whose note has a word with this beginning, or somewhat more than those. */
export function wordSource(walletId: bigint, beginning: string): Source {
  const { listed, exact, first } = lookupOf(beginning)
  let terms: Promise<string[]> | null = null
  const find = async (q: Queryable): Promise<string[]> => {
    if (exact) return [listed]
    const words = await wordsFrom(q, walletId, first)
    return words.length > WORDS_MERGED_MAX ? [listed] : words
  }
  return {
    seek: async (q, below, count) => {
      terms ??= find(q)
      return termsSource(walletId, await terms).seek(q, below, count)
    },
  }
}

/**
 * Newest first over all lists. A list's rows do not overlap, so reading them backwards, each one sorted, is in
 * order, and the limit ends it: a common word costs as little as a rare one. Seqs come once per term.
 */
async function listedSeqs(
  q: Queryable,
  wanted: { walletId: bigint; terms: readonly string[]; below: bigint; count: number },
): Promise<bigint[]> {
  const { rows } = await q.query<{ seq: bigint }>(
    `select distinct page.seq from unnest($2::text[]) wanted (term)
     cross join lateral (
       select listed.seq
       from (
         select seqs from history.terms
         where wallet_id = $1 and terms.term = wanted.term and first_seq < $3
         order by first_seq desc limit $4
       ) newest
       cross join lateral (select seq from unnest(newest.seqs) seq where seq < $3 order by seq desc) listed
       limit $4
     ) page
     order by page.seq desc limit $4`,
    [wanted.walletId, wanted.terms, wanted.below, wanted.count],
  )
  return rows.map(({ seq }) => seq)
}

/**
 * The different words that begin so, one more than are merged at most: a step per word (PostgreSQL has no skip
 * scan before 18), however many notes bear it.
 */
async function wordsFrom(q: Queryable, walletId: bigint, beginning: string): Promise<string[]> {
  const { rows } = await q.query<{ term: string }>(
    `with recursive found (term, number) as (
       (select term, 1 from history.terms
        where wallet_id = $1 and term >= $2 and term < $3 order by term limit 1)
       union all
       select next.term, found.number + 1
       from found
       cross join lateral (
         select term from history.terms
         where wallet_id = $1 and terms.term > found.term and terms.term < $3 order by terms.term limit 1
       ) next
       where found.number <= $4
     )
     select term from found`,
    [walletId, beginning, beginning + LAST_CHARACTER, WORDS_MERGED_MAX],
  )
  return rows.map(({ term }) => term)
}
