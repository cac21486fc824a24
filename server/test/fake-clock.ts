export interface FakeClock {
  /** Bound to its clock, so it can be handed over as `clock: fake.now`. */
  now: () => Date
  advance: (ms: number) => void
  set: (time: Date | string) => void
}

/** A clock that stands still until it is told to move. */
export function fakeClock(start: Date | string = '2026-01-02T03:04:05.000Z'): FakeClock {
  let time = new Date(start).getTime()
  return {
    now: () => new Date(time),
    advance: (ms) => {
      time += ms
    },
    set: (to) => {
      time = new Date(to).getTime()
    },
  }
}
