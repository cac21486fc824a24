import { Problem } from '@kantor/contract/errors'

export interface BatchLookupOptions<Row> {
  /** Reads the rows of these keys as they are now; keys without a row are absent from the map. */
  readonly load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Row>>
  /** How many loads may be under way at the same time; those who come meanwhile gather for the next. */
  readonly loadsAtOnce: number
  readonly keysPerLoadMax: number
  /** How many different keys may wait; one more is refused as `busy`. */
  readonly waitingMax: number
}

interface Waiting<Row> {
  readonly promise: Promise<Row | undefined>
  readonly resolve: (row: Row | undefined) => void
  readonly reject: (reason: unknown) => void
}

/**
 * Looks up a key together with all others that are asked for in the same turn of the event loop: one
 * statement for the lot. Nothing is cached: a load starts after everyone in it has asked, so each gets what
 * was true at or after that moment, and what another process has committed counts at once.
 */
export function createBatchLookup<Row>(
  options: BatchLookupOptions<Row>,
): (key: string) => Promise<Row | undefined> {
  const waiting = new Map<string, Waiting<Row>>()
  let loading = 0
  let scheduled = false

  const schedule = () => {
    if (scheduled || waiting.size === 0 || loading >= options.loadsAtOnce) return
    scheduled = true
    setImmediate(() => {
      scheduled = false
      void loadWaiting()
    })
  }

  const loadWaiting = async () => {
    const batch = [...waiting].slice(0, options.keysPerLoadMax)
    for (const [key] of batch) waiting.delete(key)
    loading += 1
    schedule()
    try {
      const rows = await options.load(batch.map(([key]) => key))
      for (const [key, { resolve }] of batch) resolve(rows.get(key))
    } catch (error) {
      for (const [, { reject }] of batch) reject(error)
    } finally {
      loading -= 1
      schedule()
    }
  }

  return (key) => {
    const already = waiting.get(key)
    if (already !== undefined) return already.promise
    if (waiting.size >= options.waitingMax) throw new Problem('busy', { retryAfterSeconds: 1 })
    const entry = Promise.withResolvers<Row | undefined>()
    waiting.set(key, entry)
    schedule()
    return entry.promise
  }
}
