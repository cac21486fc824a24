import type { StreamClient } from './stream-client.ts'

/** Somebody who is told things, and whose they are. */
export interface Listener {
  /** In decimal, as events name it. */
  readonly walletId: string
  readonly customerId: string
  readonly client: StreamClient
  readonly stillAllowed: () => Promise<boolean>
}

/** Who listens in this process, found by wallet and by customer. */
export interface Audience {
  add(listener: Listener): void
  remove(listener: Listener): void
  ofWallet(walletId: string): ReadonlySet<Listener>
  ofCustomer(customerId: string): ReadonlySet<Listener>
  all(): readonly Listener[]
}

const NOBODY: ReadonlySet<Listener> = new Set()

export function createAudience(): Audience {
  const byWallet = new Map<string, Set<Listener>>()
  const byCustomer = new Map<string, Set<Listener>>()
  const places = (listener: Listener) =>
    [
      [byWallet, listener.walletId],
      [byCustomer, listener.customerId],
    ] as const
  return {
    add: (listener) => {
      for (const [map, key] of places(listener)) map.set(key, (map.get(key) ?? new Set()).add(listener))
    },
    remove: (listener) => {
      for (const [map, key] of places(listener)) {
        const others = map.get(key)
        others?.delete(listener)
        if (others?.size === 0) map.delete(key)
      }
    },
    ofWallet: (walletId) => byWallet.get(walletId) ?? NOBODY,
    ofCustomer: (customerId) => byCustomer.get(customerId) ?? NOBODY,
    all: () => [...byWallet.values()].flatMap((listeners) => [...listeners]),
  }
}
