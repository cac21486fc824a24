import type { Queryable } from '#db'

/** Whether requests are wanted here, which is not whether the process lives. */
export interface Readiness {
  /** All that the role asks for has been started. */
  begun(): void
  drain(): void
  /** Null when ready. */
  notReadyBecause(): Promise<'draining' | 'starting' | 'database' | null>
}

export function createReadiness(db: Queryable): Readiness {
  let [begun, draining] = [false, false]
  return {
    begun: () => void (begun = true),
    drain: () => void (draining = true),
    async notReadyBecause() {
      if (draining) return 'draining'
      if (!begun) return 'starting'
      return db.query('select 1').then(
        () => null,
        () => 'database',
      )
    },
  }
}
