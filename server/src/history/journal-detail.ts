import type { JsonValue } from '#ledger'

export function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null
}

/** An exact number as details keep it: `{numerator, denominator}`, both texts. */
export function fractionOf(value: JsonValue | undefined): { numerator: bigint; denominator: bigint } | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const { numerator, denominator } = value
  if (!isWhole(numerator) || !isWhole(denominator) || BigInt(denominator) === 0n) return null
  return { numerator: BigInt(numerator), denominator: BigInt(denominator) }
}

function isWhole(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && /^[0-9]{1,200}$/.test(value)
}
