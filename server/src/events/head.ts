import type { Database } from '#db'
import { headOf } from '#ledger'
import type { Log } from '#telemetry'
import { startLoop } from './loop.ts'

/** How far the ledger goes, looked at by one small query for all that follow it in this process. */
export interface Head {
  /** The last sealed block that was seen. */
  height(): bigint
  /** Whether this block is sealed; looks again if it is higher than any that was seen. */
  hasBlock(height: bigint): Promise<boolean>
  onMove(listener: () => void): void
  stop(): Promise<void>
}

/** A tenth of a second is what an event may wait for it; ten such queries cost a thousandth of a core. */
const LOOK_MS = 100

export function startHead(deps: { db: Database; log: Log; random: () => number }, seen: bigint): Head {
  const listeners = new Set<() => void>()
  let height = seen
  const look = async () => {
    const now = await headOf(deps.db)
    if (now.height <= height) return
    height = now.height
    for (const listener of listeners) listener()
  }
  const loop = startLoop({
    ...deps,
    failure: 'the head of the ledger cannot be read',
    round: () => look().then(() => LOOK_MS),
  })
  return {
    height: () => height,
    hasBlock: async (wanted) => {
      if (wanted > height) await look()
      return wanted <= height
    },
    onMove: (listener) => void listeners.add(listener),
    stop: loop.stop,
  }
}
