import { compareRates, formatRate, rateOf, type Rate } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { standingActions } from './corporate-actions.ts'
import { newYorkDate } from './providers/new-york.ts'
import { splitSegments } from './split-factors.ts'
import { storedRate } from './stock-prices.ts'

/** A day's close in terms of today's shares. */
export interface AdjustedClose {
  readonly date: string
  readonly close: Rate
}

/** A month of sessions, and one more for the change of the first. */
const CLOSES = 31
const DIGITS = 10

/** The last closes of several instruments, oldest first: what a list's sparklines are made of. */
export async function lastCloses(
  q: Queryable,
  ids: readonly number[],
  asked: { readonly provider: string; readonly today: string },
): Promise<ReadonlyMap<number, AdjustedClose[]>> {
  const actions = Map.groupBy(await standingActions(q, ids, asked.provider), (action) => action.instrumentId)
  const { rows } = await q.query<{ instrument_id: number; at: Date; close: string }>({
    name: 'last-closes',
    text: `select newest.* from unnest($1::int[]) as wanted (id),
                  lateral (select instrument_id, at, close from market_data.candles
                            where instrument_id = wanted.id and span = 3
                              and source = (select id from market_data.stock_sources where provider = $2)
                            order by at desc limit $3) newest
            order by at`,
    values: [[...ids], asked.provider, CLOSES],
  })
  const closes = new Map<number, AdjustedClose[]>(ids.map((id) => [id, []]))
  const segments = new Map(ids.map((id) => [id, splitSegments(actions.get(id) ?? [], asked.today)]))
  for (const { instrument_id: id, at, close } of rows) {
    const date = newYorkDate(at.getTime())
    const factor = segments.get(id)?.find(({ fromDate, toDate }) => date >= fromDate && date < toDate)?.factor
    if (factor !== undefined) closes.get(id)?.push({ date, close: times(storedRate(close), factor) })
  }
  return closes
}

/** The close of the session before the one that a price is of. */
export function closeBefore(closes: readonly AdjustedClose[], asOf: Date): Rate | null {
  const date = newYorkDate(asOf.getTime())
  return closes.findLast((close) => close.date < date)?.close ?? null
}

function times(first: Rate, second: Rate): Rate {
  return rateOf(first.numerator * second.numerator, first.denominator * second.denominator)
}

/** For show: as many digits as it has, ten at most. */
export function priceText(price: Rate): string {
  const text = formatRate(price, DIGITS, 'halfEven')
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

const PERCENT_DIGITS = 4

/** How far a price is from another: `-1.25` and in percent `-0.7310`. */
export function changeOf(price: Rate, before: Rate): { change: string; changePercent: string } {
  const order = compareRates(price, before)
  if (order === 0) return { change: '0', changePercent: '0' }
  const sign = order < 0 ? '-' : ''
  const top = price.numerator * before.denominator - before.numerator * price.denominator
  const change = rateOf(top < 0n ? -top : top, price.denominator * before.denominator)
  const percent = rateOf(change.numerator * before.denominator * 100n, change.denominator * before.numerator)
  return {
    change: `${sign}${priceText(change)}`,
    changePercent: `${sign}${formatRate(percent, PERCENT_DIGITS, 'halfEven')}`,
  }
}
