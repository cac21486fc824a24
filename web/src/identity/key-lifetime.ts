/** Days until an API key ends; 0 is never. */
export const LIFETIMES = ['30', '90', '365', '0'] as const
export type Lifetime = (typeof LIFETIMES)[number]

export function expiryOf(lifetime: Lifetime, now: number = Date.now()): string | undefined {
  const days = Number(lifetime)
  return days === 0 ? undefined : new Date(now + days * 86_400_000).toISOString()
}
