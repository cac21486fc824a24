/**
 * A series as the points of a small chart, `width` by `height`, for the eye only. One value, or a flat series,
 * is a line through the middle.
 */
export function linePoints(values: readonly string[], width: number, height: number, inset = 1): string {
  const numbers = values.map(Number).filter(Number.isFinite)
  const [low, high] = [Math.min(...numbers), Math.max(...numbers)]
  const tall = height - 2 * inset
  const y = (value: number) => (high === low ? height / 2 : inset + (tall * (high - value)) / (high - low))
  const x = (n: number) => (numbers.length < 2 ? n * width : (n * width) / (numbers.length - 1))
  const drawn = numbers.length === 1 ? [...numbers, ...numbers] : numbers
  return drawn.map((value, n) => `${x(n).toFixed(1)},${y(value).toFixed(1)}`).join(' ')
}
