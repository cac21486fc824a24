import type { WorthHistory } from '@kantor/contract/api'
import { currencyByCode, formatAmount, worthDown } from '@kantor/contract/money'
import { readWorthPoints, worthNow } from './worth-points.ts'
import type { WorthDeps, WorthPoint } from './worth-points.ts'

export interface ShowWorthDeps extends Omit<WorthDeps, 'baseCurrenciesOf'> {
  readonly baseCurrencyOf: (walletId: bigint) => Promise<string>
}

const DAY_MS = 86_400_000
const DAYS: Readonly<Record<WorthHistory['range'], number>> = {
  '1D': 1,
  '1W': 7,
  '1M': 31,
  '1Y': 366,
  all: 36_600,
}
/** A point is written at the full hour, so the one before the range begins is its first. */
const SLACK_MS = 3_600_000

/** The points that were written down, and what the wallet is worth now. */
export async function showWorth(
  deps: ShowWorthDeps,
  walletId: bigint,
  range: WorthHistory['range'],
): Promise<WorthHistory> {
  const now = deps.clock()
  const baseCurrency = await deps.baseCurrencyOf(walletId)
  const scale = scaleOf(baseCurrency)
  const daily = range !== '1D' && range !== '1W'
  const from = new Date(now.getTime() - DAYS[range] * DAY_MS - SLACK_MS)
  const [kept, present] = await Promise.all([
    readWorthPoints(deps.db, walletId, from, daily),
    worthNow(deps, walletId, baseCurrency),
  ])
  const past = kept.flatMap((point) => {
    const minor = inCurrency(deps, point, baseCurrency)
    return minor === null || point.at >= now ? [] : [{ at: point.at, minor, incomplete: point.incomplete }]
  })
  const [first] = past
  return {
    baseCurrency,
    range,
    items: [...past, { at: now, ...present }].map(({ at, minor, incomplete }) => ({
      at: at.toISOString(),
      worth: formatAmount(minor, scale),
      incomplete,
    })),
    change: first === undefined ? null : formatAmount(present.minor - first.minor, scale),
    changePercent: first === undefined ? null : percentOf(present.minor - first.minor, first.minor),
    nextCursor: null,
  }
}

/** What was reckoned in another currency, before the customer changed it, at the rate of today; null: unknown. */
function inCurrency({ rates }: ShowWorthDeps, point: WorthPoint, baseCurrency: string): bigint | null {
  if (point.baseCurrency === baseCurrency) return point.minor
  const rate = rates.rate(point.baseCurrency, baseCurrency)
  if (rate.unknown) return null
  return worthDown(point.minor, scaleOf(point.baseCurrency), scaleOf(baseCurrency), rate.rate)
}

function scaleOf(code: string): number {
  const currency = currencyByCode(code)
  if (currency === undefined) throw new Error(`${code} is no currency`)
  return currency.scale
}

/** With two digits, cut; null of nothing. */
function percentOf(change: bigint, before: bigint): string | null {
  return before <= 0n ? null : formatAmount((change * 10_000n) / before, 2)
}
