import type { SeededRandom } from '#test/seeded-random'

/** Which replica a request goes to. */
export interface Balancer {
  /** Any. */
  next(): string
  /** Another than this one, if there is one. */
  other(than: string): string
}

export function createBalancer(origins: readonly string[], random: SeededRandom): Balancer {
  return {
    next: () => random.pick(origins),
    other: (than) => {
      const others = origins.filter((origin) => origin !== than)
      return others.length === 0 ? than : random.pick(others)
    },
  }
}
