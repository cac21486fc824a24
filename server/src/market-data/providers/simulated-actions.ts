import { dayAfter } from './new-york.ts'
import { LEVELS_AT, LISTED_ON, type SimulatedListing } from './simulated-listings.ts'
import { tradedHours } from './simulated-sessions.ts'
import { fraction, hashText } from './simulated-walk.ts'
import type { StockDividend, StockSplit } from './stock-provider.ts'

/** Known from the day it is declared on. */
export type Declared<Action> = Action & { readonly declaredOn: string }

const SPLIT_CHANCE_A_YEAR = 0.07
const SPLIT_NOTICE_DAYS = 14
const DIVIDEND_NOTICE_DAYS = 21
const PAID_AFTER_DAYS = 21
const LEVELS_ON = new Date(LEVELS_AT).toISOString().slice(0, 10)
const LAST_YEAR = 2100
const FIRST_YEAR = Number(LISTED_ON.slice(0, 4))

/** What splits there are, and how often: new shares for one old one. */
const RATIOS: readonly (readonly [from: string, to: string])[] = [
  ['1', '2'],
  ['1', '4'],
  ['1', '3'],
  ['2', '3'],
  ['1', '10'],
]

/** What companies decide, from the seed alone: the same in any process and in any order of asking. */
export interface SimulatedActions {
  /** Of this year by ex-date, declared or not. */
  splits(listing: SimulatedListing, year: number): readonly Declared<StockSplit>[]
  dividends(listing: SimulatedListing, year: number): readonly Declared<StockDividend>[]
  /** What a level of `LEVELS_AT` is multiplied by on that day: above 1 before later splits. */
  factor(listing: SimulatedListing, date: string): number
}

export function simulatedActions(seed: number): SimulatedActions {
  const known = new Map<string, readonly Declared<StockSplit>[]>()
  const allSplits = (listing: SimulatedListing) => {
    const found = known.get(listing.ticker)
    if (found !== undefined) return found
    const made: Declared<StockSplit>[] = []
    for (let year = FIRST_YEAR + 1; year < LAST_YEAR; year += 1) made.push(...splitsOf(seed, listing, year))
    known.set(listing.ticker, made)
    return made
  }
  const factor = (listing: SimulatedListing, date: string) => factorOf(allSplits(listing), date)
  return {
    splits: (listing, year) => allSplits(listing).filter(({ exDate }) => exDate.startsWith(`${year}-`)),
    dividends: (listing, year) => dividendsOf(seed, listing, year, (date) => factor(listing, date)),
    factor,
  }
}

function splitsOf(seed: number, listing: SimulatedListing, year: number): Declared<StockSplit>[] {
  const key = hashText(`split ${listing.ticker}`, seed)
  if (fraction(key, year, 0) >= SPLIT_CHANCE_A_YEAR || listing.type === 'etf') return []
  const [from, to] = RATIOS[Math.floor(fraction(key, year, 1) ** 2 * RATIOS.length)] ?? ['1', '2']
  // From March on, so that a split is declared in the year it takes effect.
  const exDate = tradingDay(dayAfter(`${year}-03-01`, Math.floor(fraction(key, year, 2) * 300)))
  return [{ ticker: listing.ticker, exDate, from, to, declaredOn: dayAfter(exDate, -SPLIT_NOTICE_DAYS) }]
}

function factorOf(splits: readonly StockSplit[], date: string): number {
  return splits.reduce((factor, { exDate, from, to }) => {
    const ratio = Number(to) / Number(from)
    if (date < exDate && exDate <= LEVELS_ON) return factor * ratio
    return LEVELS_ON < exDate && exDate <= date ? factor / ratio : factor
  }, 1)
}

/** Each quarter, in the same month of it and about the same day: companies spread over the calendar. */
function dividendsOf(
  seed: number,
  listing: SimulatedListing,
  year: number,
  factorOn: (date: string) => number,
): Declared<StockDividend>[] {
  if (listing.dividendYield === 0 || year <= FIRST_YEAR) return []
  const key = hashText(`dividend ${listing.ticker}`, seed)
  const month = 1 + Math.floor(fraction(key, 0, 0) * 3)
  const day = 1 + Math.floor(fraction(key, 0, 1) * 27)
  return [0, 3, 6, 9].map((quarter) => {
    const text = `${year}-${String(month + quarter).padStart(2, '0')}-${String(day).padStart(2, '0')}`
    const exDate = tradingDay(text)
    const cents = Math.max(
      1,
      Math.round((listing.level * factorOn(exDate) * listing.dividendYield * 100) / 4),
    )
    return {
      ticker: listing.ticker,
      exDate,
      recordDate: exDate,
      payDate: tradingDay(dayAfter(exDate, PAID_AFTER_DAYS)),
      declaredOn: dayAfter(exDate, -DIVIDEND_NOTICE_DAYS),
      amount: (cents / 100).toFixed(2),
      currency: 'USD',
      type: 'CD',
      frequency: 4,
    }
  })
}

/** That day or the next on which New York trades: what happens to companies happens on such days. */
function tradingDay(date: string): string {
  let day = date
  // No gap of the calendar is longer than four days.
  for (let step = 0; step < 7 && tradedHours(day, true) === null; step += 1) day = dayAfter(day, 1)
  return day
}
