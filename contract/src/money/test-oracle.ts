/**
 * The tests' own arithmetic, as taught at school: non-negative whole numbers as decimal texts, worked digit by
 * digit. It shares nothing with the code under test, not even bigint, so that both can hardly be wrong alike.
 */

/** Drops zeros in front: `0012` → `12`. */
export function plain(digits: string): string {
  return digits.replace(/^0+(?=.)/, '')
}

export function isLess(first: string, second: string): boolean {
  const [left, right] = [plain(first), plain(second)]
  return left.length === right.length ? left < right : left.length < right.length
}

/** Column by column from the right, carrying. */
export function sum(first: string, second: string): string {
  const width = Math.max(first.length, second.length)
  const [left, right] = [first.padStart(width, '0'), second.padStart(width, '0')]
  let carry = 0
  let text = ''
  for (let at = width - 1; at >= 0; at -= 1) {
    const column = Number(left[at]) + Number(right[at]) + carry
    text = String(column % 10) + text
    carry = column >= 10 ? 1 : 0
  }
  return plain(String(carry) + text)
}

/** First minus second, borrowing; the second must not be the greater. */
export function difference(first: string, second: string): string {
  const right = second.padStart(first.length, '0')
  let borrow = 0
  let text = ''
  for (let at = first.length - 1; at >= 0; at -= 1) {
    const column = Number(first[at]) - Number(right[right.length - first.length + at]) - borrow
    text = String((column + 10) % 10) + text
    borrow = column < 0 ? 1 : 0
  }
  return plain(text)
}

/** Sum of shifted multiples of one digit each. */
export function product(first: string, second: string): string {
  const cells = Array.from({ length: first.length + second.length }, () => 0)
  for (let i = 0; i < first.length; i += 1) {
    for (let j = 0; j < second.length; j += 1) {
      const cell = i + j + 1
      cells[cell] = (cells[cell] ?? 0) + Number(first[i]) * Number(second[j])
    }
  }
  for (let at = cells.length - 1; at > 0; at -= 1) {
    const value = cells[at] ?? 0
    cells[at] = value % 10
    cells[at - 1] = (cells[at - 1] ?? 0) + Math.floor(value / 10)
  }
  return plain(cells.join(''))
}

/** Long division: bring down a digit, count how often the divisor goes in. */
export function longDivision(dividend: string, divisor: string): { quotient: string; rest: string } {
  let rest = '0'
  let quotient = ''
  for (const digit of dividend) {
    rest = plain(rest + digit)
    let times = 0
    while (!isLess(rest, divisor)) {
      rest = difference(rest, plain(divisor))
      times += 1
    }
    quotient += String(times)
  }
  return { quotient: plain(quotient), rest }
}

/** Ten to the power, as a text. */
export function tenTo(power: number): string {
  return `1${'0'.repeat(power)}`
}
