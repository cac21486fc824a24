import type { MarketHours } from '#market-data'

/** The working day after the trade's (T+1), YYYY-MM-DD: when the world outside settles. Balances here move at once. */
export function settlesOn(hours: MarketHours, mic: string, tradedAt: Date): string {
  const traded = hours.session(mic, tradedAt)
  const next = traded.open ? hours.session(mic, traded.closesAt) : traded
  return next.opensAt.toISOString().slice(0, 10)
}
