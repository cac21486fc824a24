import { hash } from 'node:crypto'
import type { OperationsQuery } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'

const SEQ_BYTES = 8
const MARK_BYTES = 8

/** What makes two requests pages of one list: whose it is and what is asked for. */
export type ListIdentity = Omit<OperationsQuery, 'cursor' | 'limit'> & { readonly walletId: bigint }

/**
 * A cursor is a place in one list: the seq below which to go on, and a mark of the list that it belongs to, so
 * that one of another wallet or of other filters is refused instead of answering something else. The mark is no
 * secret and needs none: whoever makes one up gets a place in their own list.
 */
export function cursorOf(list: ListIdentity, below: bigint): string {
  const bytes = Buffer.alloc(SEQ_BYTES + MARK_BYTES)
  bytes.writeBigInt64BE(below)
  markOf(list, below).copy(bytes, SEQ_BYTES)
  return bytes.toString('base64url')
}

/** @throws Problem invalid_cursor */
export function placeOf(list: ListIdentity, cursor: string): bigint {
  const bytes = Buffer.from(cursor, 'base64url')
  // Decoding is lenient, so only the one text that encodes these bytes is a cursor.
  const isOurs = bytes.length === SEQ_BYTES + MARK_BYTES && bytes.toString('base64url') === cursor
  const below = isOurs ? bytes.readBigInt64BE() : 0n
  if (!isOurs || !markOf(list, below).equals(bytes.subarray(SEQ_BYTES))) throw new Problem('invalid_cursor')
  return below
}

function markOf(list: ListIdentity, below: bigint): Buffer {
  const { walletId, kind, asset, counterparty, from, to, amountMin, amountMax, q } = list
  const parts = [walletId, below, kind, asset, counterparty, from, to, amountMin, amountMax, q]
  const text = JSON.stringify(parts.map((part) => (part === undefined ? null : String(part))))
  return hash('sha256', `kantor.operations.v1${text}`, 'buffer').subarray(0, MARK_BYTES)
}
