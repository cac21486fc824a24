import { setTimeout as sleep } from 'node:timers/promises'

/** @throws Error `failure` when the work is not done in time; what becomes of it then is not waited for. */
export async function withinTime<T>(work: Promise<T>, ms: number, failure: string): Promise<T> {
  const over = new AbortController()
  const late = sleep(ms, 'late' as const, { signal: over.signal, ref: false }).catch(() => 'late' as const)
  try {
    const first = await Promise.race([work.then((value) => ({ value })), late])
    if (first !== 'late') return first.value
    work.catch(() => {})
    throw new Error(`${failure} within ${ms} ms`)
  } finally {
    over.abort()
  }
}
