import type { Queryable } from '#db'

/**
 * A part of a wallet's history: every operation in it has seq ≥ `reached`, and none that belongs there is missing
 * from `seqs`, which is newest first.
 */
export interface Stretch {
  readonly seqs: readonly bigint[]
  /** 0 when the whole of the rest was seen. */
  readonly reached: bigint
}

/** Operations with one property, or at least those, newest first. */
export interface Source {
  /**
   * The next operations older than `below` (seq < below), about `count` of them, or fewer with `reached` > 0 when
   * enough was looked at: a search goes on from `reached`.
   */
  seek(q: Queryable, below: bigint, count: number): Promise<Stretch>
}

/** What a read of up to `count` newest seqs says: with fewer there is nothing further down. */
export function stretchOf(seqs: readonly bigint[], count: number): Stretch {
  const last = seqs.at(-1)
  return { seqs, reached: last === undefined || seqs.length < count ? 0n : last }
}

export interface Agreement {
  /** In all sources, as far down as all of them were read. */
  readonly agreed: Stretch
  /** Below that: in the source that was read furthest and in those that were read as far; others may not have it. */
  readonly doubtful: Stretch
}

/** What can match, given what every source knows. */
export function intersect(stretches: readonly Stretch[]): Agreement {
  const furthest = stretches.reduce((best, stretch) => (stretch.reached < best.reached ? stretch : best))
  const others = stretches.filter((stretch) => stretch !== furthest)
  const known = others.map(({ seqs, reached }) => ({ seqs: new Set(seqs), reached }))
  const possible = furthest.seqs.filter((seq) =>
    known.every((other) => seq < other.reached || other.seqs.has(seq)),
  )
  const border = stretches.reduce((highest, { reached }) => (reached > highest ? reached : highest), 0n)
  return {
    agreed: { seqs: possible.filter((seq) => seq >= border), reached: border },
    doubtful: { seqs: possible.filter((seq) => seq < border), reached: furthest.reached },
  }
}

export function newestFirst(seqs: readonly bigint[]): bigint[] {
  return seqs.toSorted((one, other) => (one < other ? 1 : one > other ? -1 : 0))
}
