import type { StreamMessage } from './message.ts'

/** What the broker has delivered and is not done yet, in the order in which it came. Bounded by the prefetch. */
export interface Mailbox {
  put(message: StreamMessage, deliveryTag: number): void
  /** Acknowledges those that lie behind what is done. */
  doneUpTo(seq: bigint): void
  first(): StreamMessage | null
  /** The first `limit` at most, as long as each follows the one before it without a gap. */
  row(limit: number): readonly StreamMessage[]
  /** When something came last, by `performance.now()`. */
  filledAt(): number
  /** The channel is another one, or none: what it delivered will come again. */
  reset(acknowledge: ((deliveryTag: number) => void) | null): void
}

export function createMailbox(): Mailbox {
  let letters: { message: StreamMessage; deliveryTag: number }[] = []
  let acknowledge: ((deliveryTag: number) => void) | null = null
  let filledAt = -Infinity
  return {
    put(message, deliveryTag) {
      letters.push({ message, deliveryTag })
      filledAt = performance.now()
    },
    doneUpTo(seq) {
      const open = letters.findIndex(({ message }) => message.seq > seq)
      const done = open === -1 ? letters : letters.slice(0, open)
      const last = done.at(-1)
      if (last === undefined) return
      letters = letters.slice(done.length)
      acknowledge?.(last.deliveryTag)
    },
    first: () => letters[0]?.message ?? null,
    row(limit) {
      const row: StreamMessage[] = []
      for (const { message } of letters.slice(0, limit)) {
        const last = row.at(-1)
        if (last !== undefined && (message.after > last.seq || message.seq <= last.seq)) break
        row.push(message)
      }
      return row
    },
    filledAt: () => filledAt,
    reset(next) {
      letters = []
      acknowledge = next
    },
  }
}
