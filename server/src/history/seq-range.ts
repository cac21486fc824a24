import type { Queryable } from '#db'
import { SEQ_END } from './filter.ts'

export interface SeqRange {
  readonly seqMin: bigint
  readonly seqEnd: bigint
}

/**
 * The seqs recorded from one moment to another, both included. Time grows with seq, so a range of time is a range
 * of seqs, found by two look-ups among the blocks. The ledger's times are whole milliseconds.
 */
export async function seqRangeOf(
  q: Queryable,
  from: string | undefined,
  to: string | undefined,
): Promise<SeqRange> {
  return {
    seqMin: from === undefined ? 0n : await firstSeqFrom(q, ceilMs(from)),
    seqEnd: to === undefined ? SEQ_END : await firstSeqFrom(q, new Date(floorMs(to).getTime() + 1)),
  }
}

/** Of the first block sealed at this moment or later; SEQ_END when there is none yet. */
async function firstSeqFrom(q: Queryable, moment: Date): Promise<bigint> {
  const { rows } = await q.query<{ seq: bigint }>(
    `select height * 4096 as seq from ledger.blocks where sealed_at >= $1 order by sealed_at, height limit 1`,
    [moment],
  )
  return rows[0]?.seq ?? SEQ_END
}

/** Dates hold milliseconds: further digits are dropped by the parser. */
function floorMs(text: string): Date {
  return new Date(text)
}

function ceilMs(text: string): Date {
  const moment = floorMs(text)
  const hasMore = /\.[0-9]{3}[0-9]*[1-9]/.test(text)
  return hasMore ? new Date(moment.getTime() + 1) : moment
}
