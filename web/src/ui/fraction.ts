/** How many digits of a fraction are as large as the rest; the others of a long one (bitcoin, shares) step back. */
const LARGE_DIGITS = 2
const LONG_DIGITS = 5
const TAIL_SIZE = 0.65
/** The decimal mark is narrower than a digit. */
const MARK_EM = 0.28

/** A fraction with its mark, such as `.51230000`, in the part that is read and the tail that is exact. */
export function splitFraction(fraction: string): [large: string, tail: string] {
  const digits = fraction.length - 1
  return digits < LONG_DIGITS
    ? [fraction, '']
    : [fraction.slice(0, LARGE_DIGITS + 1), fraction.slice(LARGE_DIGITS + 1)]
}

function width(fraction: string): { ch: number; em: number } {
  if (fraction === '') return { ch: 0, em: 0 }
  const [large, tail] = splitFraction(fraction)
  return { ch: large.length - 1 + tail.length * TAIL_SIZE, em: MARK_EM }
}

/** The room to leave after a figure, so that a list of figures aligns on the decimal mark. */
export function missingWidth(own: string, all: readonly string[]): string {
  const widest = all.map(width).reduce((most, next) => (next.ch > most.ch ? next : most), { ch: 0, em: 0 })
  const has = width(own)
  return `calc(${(widest.ch - has.ch).toFixed(2)}ch + ${(widest.em - has.em).toFixed(2)}em)`
}
