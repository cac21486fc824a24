/** A series that moves less than this part of itself is drawn that much lower, so that no cent looks like a rise. */
const FULL_HEIGHT_SPAN_MIN = 0.002

/**
 * A series as the points of a small chart, `width` by `height`, for the eye only. One value, or a flat series,
 * is a line through the middle.
 */
export function linePoints(values: readonly string[], width: number, height: number, inset = 1): string {
  const numbers = values.map(Number).filter(Number.isFinite)
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  const span = Math.max(high - low, Math.abs(high) * FULL_HEIGHT_SPAN_MIN) || 1
  const y = (value: number) => height / 2 + ((height - 2 * inset) * ((high + low) / 2 - value)) / span
  const x = (n: number) => (numbers.length < 2 ? n * width : (n * width) / (numbers.length - 1))
  const drawn = numbers.length === 1 ? [...numbers, ...numbers] : numbers
  return drawn.map((value, n) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
}
