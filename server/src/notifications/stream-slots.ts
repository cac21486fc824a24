import { Problem } from '@kantor/contract/errors'

export interface StreamLimits {
  /** In this process. Connections are bounded too, and other requests need some. */
  readonly streamsMax: number
  /** Of one customer, in this process: one for each tab and program. */
  readonly perCustomerMax: number
}

export const USUAL_STREAM_LIMITS: StreamLimits = { streamsMax: 8_000, perCustomerMax: 20 }

/** A stream that nobody takes from any more may be noticed as late as this. */
const RETRY_AFTER_SECONDS = 60
const BUSY_RETRY_AFTER_SECONDS = 5

export interface StreamSlots {
  readonly taken: number
  /** @returns how to give it back. @throws Problem too_many_streams, or busy when there are too many in all */
  take(customerId: string): () => void
}

export function createStreamSlots({ streamsMax, perCustomerMax }: StreamLimits): StreamSlots {
  const byCustomer = new Map<string, number>()
  let taken = 0
  return {
    get taken() {
      return taken
    },
    take(customerId) {
      const own = byCustomer.get(customerId) ?? 0
      if (own >= perCustomerMax) {
        throw new Problem('too_many_streams', { retryAfterSeconds: RETRY_AFTER_SECONDS })
      }
      if (taken >= streamsMax) throw new Problem('busy', { retryAfterSeconds: BUSY_RETRY_AFTER_SECONDS })
      taken += 1
      byCustomer.set(customerId, own + 1)
      let given = false
      return () => {
        if (given) return
        given = true
        taken -= 1
        const left = (byCustomer.get(customerId) ?? 1) - 1
        if (left === 0) byCustomer.delete(customerId)
        else byCustomer.set(customerId, left)
      }
    },
  }
}
