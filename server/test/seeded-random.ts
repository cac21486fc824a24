import { expect, onTestFailed } from 'vitest'

export interface SeededRandom {
  seed: number
  /** At least 0 and below 1, like Math.random; bound, so it can be handed over as `random`. */
  next: () => number
  /** A whole number from `min` to `max`, both included. */
  int: (min: number, max: number) => number
  /** The same for amounts of up to 2^53 - 1 units. */
  bigint: (min: bigint, max: bigint) => bigint
  pick: <T>(from: readonly T[]) => T
}

/**
 * The same seed gives the same numbers for ever. A test that fails prints its seed; KANTOR_SEED=… replays it.
 * mulberry32 by Tommy Ettinger (public domain): enough for workloads, never for secrets.
 */
export function seededRandom(seed: number = defaultSeed()): SeededRandom {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  // Two draws: one has 32 bits, and amounts are longer.
  const fine = () => (Math.floor(next() * 2 ** 21) * 2 ** 32 + Math.floor(next() * 2 ** 32)) / 2 ** 53
  const int = (min: number, max: number) => min + Math.floor(fine() * (max - min + 1))
  printOnFailure(seed)
  return {
    seed,
    next,
    int,
    bigint: (min, max) => BigInt(int(Number(min), Number(max))),
    pick: (from) => {
      const picked = from[int(0, from.length - 1)]
      if (picked === undefined) throw new Error('nothing to pick from')
      return picked
    },
  }
}

function defaultSeed(): number {
  const given = process.env['KANTOR_SEED']
  return given === undefined ? Date.now() % 2 ** 32 : Number(given)
}

/** Outside of a test there is none to watch; who draws there prints the seed itself. */
function printOnFailure(seed: number): void {
  if (expect.getState().currentTestName === undefined) return
  onTestFailed(() => console.error(`To replay: KANTOR_SEED=${seed}`))
}
