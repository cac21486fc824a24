import { hash } from 'node:crypto'
import type { JsonValue } from './types.ts'

/**
 * The bytes of a journal that its hash is made of, version 1; integers are big-endian:
 *
 *     u8 version · u8 kind · i64 scope · 16 key hash · 16 request hash · u8 which optional parts follow
 *     [1: i64 effectiveAt µs] [2: u16 length, consumes in UTF-8] [4: i64 reverses] · u8 postings
 *     postings × (i64 from, i64 to, i64 amount) · [8: detail]
 *
 * Not among them: seq and recorded_at. The position is the leaf's index in the block's Merkle tree, and the block's
 * hash covers height and time, so both are bound without being repeated; and a leaf can be hashed before any lock.
 */
export interface CanonicalJournal {
  kind: number
  scope: bigint
  keyHash: Buffer
  requestHash: Buffer
  effectiveAtMicros: bigint | null
  consumes: string | null
  reverses: bigint | null
  /** from, to, amount; from, to, amount; … */
  postings: readonly bigint[]
  /** As `encodeDetail` gives it. */
  detail: Buffer | null
}

const VERSION = 1
export const DETAIL_BYTES_MAX = 16_384
const DETAIL_DEPTH_MAX = 16

// Leaves have a prefix of their own (RFC 6962), so that no inner node can pass for a journal.
const LEAF_PREFIX = 0x00
// Largest: 64 postings, a consumes of 255 characters of 4 bytes, a detail of 16 KiB. Encoding is synchronous.
const scratch = Buffer.alloc(DETAIL_BYTES_MAX + 4_096)
// A buffer for each key and value took most of the time that it takes to prepare a command.
const detailScratch = Buffer.alloc(DETAIL_BYTES_MAX)

export function hashLeaf(journal: CanonicalJournal): Buffer {
  scratch[0] = LEAF_PREFIX
  const end = writeJournal(journal, 1)
  return hash('sha256', scratch.subarray(0, end), 'buffer')
}

/** The bytes that `hashLeaf` hashes, without the prefix: what a receipt shows. */
export function encodeJournal(journal: CanonicalJournal): Buffer {
  return Buffer.from(scratch.subarray(0, writeJournal(journal, 0)))
}

function writeJournal(journal: CanonicalJournal, start: number): number {
  const { effectiveAtMicros, consumes, reverses, detail, postings } = journal
  let at = scratch.writeUInt8(VERSION, start)
  at = scratch.writeUInt8(journal.kind, at)
  at = scratch.writeBigInt64BE(journal.scope, at)
  at += journal.keyHash.copy(scratch, at, 0, 16)
  at += journal.requestHash.copy(scratch, at, 0, 16)
  const parts =
    (effectiveAtMicros === null ? 0 : 1) |
    (consumes === null ? 0 : 2) |
    (reverses === null ? 0 : 4) |
    (detail === null ? 0 : 8)
  at = scratch.writeUInt8(parts, at)
  if (effectiveAtMicros !== null) at = scratch.writeBigInt64BE(effectiveAtMicros, at)
  if (consumes !== null) {
    const length = scratch.write(consumes, at + 2, 'utf8')
    at = scratch.writeUInt16BE(length, at) + length
  }
  if (reverses !== null) at = scratch.writeBigInt64BE(reverses, at)
  at = scratch.writeUInt8(postings.length / 3, at)
  for (const value of postings) at = scratch.writeBigInt64BE(value, at)
  if (detail !== null) at += detail.copy(scratch, at)
  return at
}

/**
 * A detail's own encoding, since JSON text has many spellings of one value and PostgreSQL keeps none of them:
 * a tag (0 null, 1 false, 2 true, 3 integer, 4 text, 5 list, 6 object), then the value; lists and objects have a u32
 * count; an object's keys are sorted by UTF-16 code unit.
 *
 * @throws TypeError for what would not come back from jsonb as it was: floats, undefined, U+0000, lone surrogates.
 */
export function encodeDetail(detail: { [key: string]: JsonValue }): Buffer {
  return Buffer.from(detailScratch.subarray(0, writeValue(detail, 0, 0)))
}

/** @returns where the next value goes, as all that write here */
function writeValue(value: JsonValue, at: number, depth: number): number {
  if (depth > DETAIL_DEPTH_MAX) throw new TypeError(`detail is deeper than ${DETAIL_DEPTH_MAX}`)
  if (value === null) return writeTag(0, at)
  if (typeof value === 'boolean') return writeTag(value ? 2 : 1, at)
  if (typeof value === 'number') return writeInteger(value, writeTag(3, at))
  if (typeof value === 'string') return writeText(value, writeTag(4, at))
  if (Array.isArray(value)) {
    let next = writeCount(value.length, writeTag(5, at))
    for (const item of value) next = writeValue(item, next, depth + 1)
    return next
  }
  if (typeof value !== 'object') throw new TypeError(`detail holds a ${typeof value}`)
  const keys = Object.keys(value).toSorted()
  let next = writeCount(keys.length, writeTag(6, at))
  for (const key of keys) next = writeValue(value[key] as JsonValue, writeText(key, next), depth + 1)
  return next
}

function writeTag(tag: number, at: number): number {
  requireRoom(at, 1)
  return detailScratch.writeUInt8(tag, at)
}

function writeCount(count: number, at: number): number {
  requireRoom(at, 4)
  return detailScratch.writeUInt32BE(count, at)
}

function writeInteger(value: number, at: number): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('a number in a detail must be a safe integer')
  requireRoom(at, 8)
  return detailScratch.writeBigInt64BE(BigInt(value), at)
}

function writeText(text: string, at: number): number {
  requireStorable(text)
  // A UTF-16 unit takes three bytes at most, so that only what comes near the end has to be measured.
  if (at + 4 + 3 * text.length > DETAIL_BYTES_MAX) requireRoom(at, 4 + Buffer.byteLength(text))
  const bytes = detailScratch.write(text, at + 4, 'utf8')
  return detailScratch.writeUInt32BE(bytes, at) + bytes
}

function requireRoom(at: number, bytes: number): void {
  if (at + bytes > DETAIL_BYTES_MAX) throw new TypeError(`detail is larger than ${DETAIL_BYTES_MAX} bytes`)
}

/** @throws TypeError for text that PostgreSQL refuses (U+0000) or that UTF-8 would change (lone surrogates). */
export function requireStorable(text: string): void {
  if (text.includes('\0') || !text.isWellFormed()) throw new TypeError('text that cannot be stored as it is')
}
