/**
 * A random walk that can be read at any moment without walking there: a Brownian bridge, refined by halves.
 * Anchors a year apart are drawn independently around zero, so that decades do not carry prices away; between
 * two anchors each midpoint is the mean of its ends plus noise of the variance that is missing
 * (P. Lévy's construction, https://en.wikipedia.org/wiki/Wiener_process#Wiener_representation). Reading one
 * moment costs about 20 hashes; keeping a path would cost memory for every second ever asked about.
 */
const SPAN_MS = 2 ** 35 // 398 days
/** 2^35 / 2^19 is 65.5 seconds: finer than that the path is a straight line. */
const HALVINGS = 19
const YEAR_MS = 365.25 * 86_400_000

/** The walk named `name` of this seed at `atMs`, with a standard deviation of about 1 over a year. */
export function walkAt(seed: number, name: string, atMs: number): number {
  const key = hashText(name, seed)
  const span = Math.floor(atMs / SPAN_MS)
  let left = ANCHOR_DEVIATION * gaussian(key, span, 0)
  let right = ANCHOR_DEVIATION * gaussian(key, span + 1, 0)
  let start = span * SPAN_MS
  let length = SPAN_MS
  let node = 1
  for (let depth = 1; depth <= HALVINGS; depth += 1) {
    const middle = (left + right) / 2 + Math.sqrt(length / YEAR_MS / 4) * gaussian(key, span, node)
    length /= 2
    if (atMs < start + length) {
      right = middle
      node *= 2
    } else {
      left = middle
      start += length
      node = node * 2 + 1
    }
  }
  return left + ((right - left) * (atMs - start)) / length
}

/** Two independent anchors then differ by about 1 a year, as the walk between them does. */
const ANCHOR_DEVIATION = Math.SQRT1_2

/** A standard normal number that depends on nothing but its arguments (Box–Muller over two hashes). */
export function gaussian(key: number, span: number, node: number): number {
  const first = hash(hash(key, span), node)
  const second = hash(first, 0x9e3779b9)
  const uniform = (first + 0.5) / 2 ** 32
  return Math.sqrt(-2 * Math.log(uniform)) * Math.cos((2 * Math.PI * second) / 2 ** 32)
}

/** A number from 0, included, to 1 that depends on nothing but its arguments. */
export function fraction(key: number, first: number, second: number): number {
  return hash(hash(key, first), second) / 2 ** 32
}

/** Two rounds of MurmurHash3's finalizer, https://github.com/aappleby/smhasher/wiki/MurmurHash3 */
function hash(state: number, value: number): number {
  let mixed = Math.imul(state ^ Math.imul(value | 0, 0xcc9e2d51), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  return (mixed ^ (mixed >>> 15)) >>> 0
}

/** A key for what is called `text` under this seed. */
export function hashText(text: string, seed: number): number {
  let state = hash(seed, text.length)
  for (const letter of text) state = hash(state, letter.codePointAt(0) ?? 0)
  return state
}
