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
  /** The same and, below that, what no source that was read as far denies. */
  readonly possible: Stretch
  /** How many of the operations of the source that was read furthest were in the others too, where they were read. */
  readonly share: number
}

/** What can match, given what every source knows. */
export function intersect(stretches: readonly Stretch[]): Agreement {
  const furthest = stretches.reduce((best, stretch) => (stretch.reached < best.reached ? stretch : best))
  const others = stretches.filter((stretch) => stretch !== furthest)
  const known = others.map(({ seqs, reached }) => ({ seqs: new Set(seqs), reached }))
  const border = stretches.reduce((highest, { reached }) => (reached > highest ? reached : highest), 0n)
  const possible = furthest.seqs.filter((seq) =>
    known.every((other) => seq < other.reached || other.seqs.has(seq)),
  )
  const agreed = possible.filter((seq) => seq >= border)
  const compared = furthest.seqs.filter((seq) => seq >= border).length
  return {
    agreed: { seqs: agreed, reached: border },
    possible: { seqs: possible, reached: furthest.reached },
    share: compared === 0 ? 0 : agreed.length / compared,
  }
}

export function newestFirst(seqs: readonly bigint[]): bigint[] {
  return seqs.toSorted((one, other) => (one < other ? 1 : one > other ? -1 : 0))
}
