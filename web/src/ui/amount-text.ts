import {
  displayAmount,
  evaluateAmountInput,
  formatAmount,
  INSTRUMENT_SCALE,
  parseAmount,
} from '@kantor/contract/money'

/** What an amount field holds: the API's decimal text, nothing yet, or something that is no amount. */
export type AmountReading =
  | { state: 'empty' }
  | { state: 'amount'; amount: string }
  | { state: 'wrong'; reason: 'shape' | 'digits' | 'too_large' }

/** Reads a typed figure or sum (`3*19.99`, `1 234,56`) as the language writes it. */
export function readAmount(text: string, scale: number, tag: string): AmountReading {
  if (text.trim() === '') return { state: 'empty' }
  const result = evaluateAmountInput(text, scale, tag)
  return result.ok
    ? { state: 'amount', amount: formatAmount(result.minor, scale) }
    : { state: 'wrong', reason: result.reason }
}

/**
 * The API's text as a person would type it; a field is filled with this when it loses focus or is set. Nobody
 * types the nine digits of a share.
 */
export function writeAmount(amount: string, scale: number, tag: string): string {
  const parsed = parseAmount(amount, scale)
  return parsed.ok ? displayAmount(parsed.minor, scale, tag, { trimZeros: scale === INSTRUMENT_SCALE }) : ''
}

/** Whether an amount is more than another of the same asset; false when either is none. */
export function exceeds(amount: string, limit: string, scale: number): boolean {
  const [asked, most] = [parseAmount(amount, scale), parseAmount(limit, scale)]
  return asked.ok && most.ok && asked.minor > most.minor
}

export const isZeroAmount = (amount: string) => /^-?[0.]*$/.test(amount)
