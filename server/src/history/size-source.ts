import type { Queryable } from '#db'
import { newestFirst, type Source, type Stretch } from './source.ts'

/** Runs of a level that make one of the next. */
export const RUN_FAN_OUT = 16
/**
 * A run of level 1 is up to 65,536 operations. A level more would be a million, which one statement takes 3 s to sort
 * on a quiet machine; without it a search of rare amounts reads 1 run, some 9 pages, more per 65,536 operations.
 */
export const RUN_LEVEL_MAX = 1

/** More matches than this in one run: only its newest are wanted, so it is searched part by part. */
const MATCHES_OF_A_RUN_MAX = 64
/** Runs that one statement looks at, at most. It stops by itself when the newest have enough matches. */
const RUNS_ASKED_MAX = 64

export interface SizeRange {
  readonly least: bigint
  readonly most: bigint
}

interface Run {
  readonly level: number
  readonly run: number
}

interface SizeSearch {
  readonly walletId: bigint
  readonly assetId: number
  readonly sizes: SizeRange
}

/**
 * Operations that moved an amount within a range, as far as the wallet's index goes. The history is cut into runs,
 * each sorted by size: one look-up tells how many of a run match, so runs without a match cost next to nothing,
 * few matches are all taken, and a run with many is searched by its smaller runs, newest first. A million
 * operations are at most 31 runs. (Smallest and largest per zone would be less to keep, but amounts of everyday
 * spread leave no zone out; a list per bucket of sizes makes wide ranges merge hundreds of lists.)
 */
export function sizeSource(search: SizeSearch, last: LastChunk): Source {
  return {
    seek: async (q, below, count) => {
      const chunk = below > last.lastSeq ? last.no : await chunkOf(q, search.walletId, below)
      return seekRuns(q, search, { runs: runsDownFrom(chunk), below, count })
    },
  }
}

/** The newest of a wallet's chunks: how far its index goes. */
export interface LastChunk {
  readonly no: number
  readonly lastSeq: bigint
}

/** Chunks 0 to `chunk` as the fewest complete runs, newest first. The first may be the incomplete top. */
export function runsDownFrom(chunk: number): Run[] {
  const runs: Run[] = []
  let level = 0
  for (let end = chunk + 1; end > 0;) {
    const width = RUN_FAN_OUT ** level
    if (level < RUN_LEVEL_MAX && end % (width * RUN_FAN_OUT) === 0) {
      level += 1
      continue
    }
    end -= width
    runs.push({ level, run: end / width })
  }
  return runs
}

function partsOf({ level, run }: Run): Run[] {
  return Array.from({ length: RUN_FAN_OUT }, (_, index) => ({
    level: level - 1,
    run: run * RUN_FAN_OUT + RUN_FAN_OUT - 1 - index,
  }))
}

async function seekRuns(
  q: Queryable,
  search: SizeSearch,
  wanted: { runs: Run[]; below: bigint; count: number },
): Promise<Stretch> {
  const { below, count } = wanted
  const seqs: bigint[] = []
  let waiting = wanted.runs
  while (waiting.length > 0) {
    const asked = waiting.slice(0, RUNS_ASKED_MAX)
    let next = waiting.slice(asked.length)
    for (const answer of await matchesOfRuns(q, search, asked, { below, count })) {
      const { run, place } = answer
      const isDense = answer.seqs.length > MATCHES_OF_A_RUN_MAX
      if (isDense && run.level > 0) {
        next = [...partsOf(run), ...waiting.slice(place + 1)]
        break
      }
      const found = isDense ? await newestOfChunk(q, search, { run, below, count }) : newestFirst(answer.seqs)
      seqs.push(...found)
      const last = seqs.at(-1)
      if (seqs.length >= count && last !== undefined) return { seqs, reached: last }
    }
    waiting = next
  }
  return { seqs, reached: 0n }
}

/** The chunk that holds the newest indexed operation below; -1 when there is none. */
async function chunkOf(q: Queryable, walletId: bigint, below: bigint): Promise<number> {
  const { rows } = await q.query<{ no: number }>(
    `select no from history.chunks where wallet_id = $1 and last_seq >= $2::bigint - 1 order by last_seq limit 1`,
    [walletId, below],
  )
  return rows[0]?.no ?? -1
}

interface RunMatches {
  readonly run: Run
  /** Of the run among those asked. */
  readonly place: number
  /** Unordered, and cut off past MATCHES_OF_A_RUN_MAX. */
  readonly seqs: bigint[]
}

/**
 * The parts of a run are in order of size: those to look at begin with the last one that starts below the range.
 * By both columns, since one frequent amount can fill thousands of parts that all start alike.
 */
const PARTS_IN_RANGE = `
  select part.sizes, part.seqs
  from (select) one
  left join lateral (
    select smallest, part from history.sizes
    where wallet_id = $1 and asset_id = $2 and level = wanted.level and run = wanted.run and smallest < $3
    order by smallest desc, part desc limit 1
  ) first on true
  join history.sizes part
    on part.wallet_id = $1 and part.asset_id = $2 and part.level = wanted.level and part.run = wanted.run
    and (part.smallest, part.part) >= (coalesce(first.smallest, 0), coalesce(first.part, 0))
    and part.smallest <= $4`

/**
 * The runs that have matches, newest first. Runs are looked at one after another (a nested loop over `wanted`, the
 * only way to evaluate a lateral limit), so the last limit ends it when there is enough; whoever is cut off by it
 * comes after at least `count` others.
 */
async function matchesOfRuns(
  q: Queryable,
  { walletId, assetId, sizes }: SizeSearch,
  runs: readonly Run[],
  { below, count }: { below: bigint; count: number },
): Promise<RunMatches[]> {
  const levels = runs.map(({ level }) => level)
  const numbers = runs.map(({ run }) => run)
  const { rows } = await q.query<{ place: number; seq: bigint }>(
    `select wanted.place::integer - 1 as place, matching.seq
     from unnest($5::integer[], $6::integer[]) with ordinality wanted (level, run, place)
     cross join lateral (
       select moved.seq from (${PARTS_IN_RANGE}) part cross join unnest(part.sizes, part.seqs) moved (size, seq)
       where moved.size between $3 and $4 and moved.seq < $7
       limit ${MATCHES_OF_A_RUN_MAX + 1}
     ) matching
     limit $8`,
    [walletId, assetId, sizes.least, sizes.most, levels, numbers, below, count + MATCHES_OF_A_RUN_MAX + 1],
  )
  const byPlace = new Map<number, RunMatches>()
  for (const { place, seq } of rows) {
    const run = runs[place]
    if (run === undefined) throw new Error(`a match in run ${place}, which was not asked`)
    const known = byPlace.get(place)
    if (known === undefined) byPlace.set(place, { run, place, seqs: [seq] })
    else known.seqs.push(seq)
  }
  return [...byPlace.values()]
}

/** Of one chunk with many matches. */
async function newestOfChunk(
  q: Queryable,
  { walletId, assetId, sizes }: SizeSearch,
  { run, below, count }: { run: Run; below: bigint; count: number },
): Promise<bigint[]> {
  const { rows } = await q.query<{ seq: bigint }>(
    `select moved.seq from (values ($5::integer, $6::integer)) wanted (level, run)
     cross join lateral (${PARTS_IN_RANGE}) part cross join unnest(part.sizes, part.seqs) moved (size, seq)
     where moved.size between $3 and $4 and moved.seq < $7
     order by moved.seq desc limit $8`,
    [walletId, assetId, sizes.least, sizes.most, run.level, run.run, below, count],
  )
  return rows.map(({ seq }) => seq)
}
