import { streamPosition } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'

/** How far a client has been told: everything of its wallet up to here. */
export interface StreamPosition {
  /** Of its last operation, or of any journal since that is not its own. */
  readonly seq: bigint
  /** The place of its last notice. */
  readonly notice: bigint
}

export const positionText = ({ seq, notice }: StreamPosition): string => `${seq}.${notice}`

/** @throws Problem invalid_cursor for anything that this stream could not have said */
export function parsePosition(text: string): StreamPosition {
  if (!streamPosition.safeParse(text).success) throw new Problem('invalid_cursor')
  const [seq = '', notice = ''] = text.split('.')
  return { seq: BigInt(seq), notice: BigInt(notice) }
}
