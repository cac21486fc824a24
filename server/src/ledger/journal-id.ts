/**
 * A journal's public id is a UUIDv7 (RFC 9562) *derived* from when and where it was recorded, so that it needs no
 * column and no index: 48 bits of milliseconds, the version, then the 63-bit seq right-aligned in the 74 bits that
 * the RFC leaves to us. Ids sort like seqs. Whoever decodes one must check the milliseconds as well: other ids that
 * hold the same seq do not exist.
 */
export interface JournalIdParts {
  seq: bigint
  recordedAtMs: number
}

const POSITIONS_BITS = 12n
/** Positions in a block, and so journals in a batch. */
export const JOURNALS_PER_BLOCK_MAX = 1 << Number(POSITIONS_BITS)

export function seqOf(height: bigint, position: number): bigint {
  return (height << POSITIONS_BITS) | BigInt(position)
}

/** No journal of the block, nor of one before it, has a higher one. */
export function lastSeqOf(height: bigint): bigint {
  return seqOf(height, JOURNALS_PER_BLOCK_MAX - 1)
}

export function heightOf(seq: bigint): bigint {
  return seq >> POSITIONS_BITS
}

export function positionOf(seq: bigint): number {
  return Number(seq & 0xfffn)
}

export function journalId(recordedAt: Date, seq: bigint): string {
  const time = recordedAt.getTime().toString(16).padStart(12, '0')
  // 62 bits of seq fit behind the variant; bit 62 would be the lowest bit of the 12 behind the version.
  const high = (0x7000n | (seq >> 62n)).toString(16)
  const low = ((0b10n << 62n) | (seq & 0x3fff_ffff_ffff_ffffn)).toString(16)
  return `${time.slice(0, 8)}-${time.slice(8)}-${high}-${low.slice(0, 4)}-${low.slice(4)}`
}

const SHAPE = /^([0-9a-f]{8})-([0-9a-f]{4})-(7[0-9a-f]{3})-([89ab][0-9a-f]{3})-([0-9a-f]{12})$/

/** Null for anything that is not an id that `journalId` could have made. */
export function parseJournalId(id: string): JournalIdParts | null {
  const match = SHAPE.exec(id)
  if (match === null) return null
  const [, time1, time2, high, low1, low2] = match
  const behindVersion = BigInt(`0x${high}`) & 0xfffn
  if (behindVersion > 1n) return null
  const seq = (behindVersion << 62n) | (BigInt(`0x${low1}${low2}`) & 0x3fff_ffff_ffff_ffffn)
  return { seq, recordedAtMs: Number(`0x${time1}${time2}`) }
}
