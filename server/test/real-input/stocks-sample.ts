import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FILE = join(import.meta.dirname, '../../../../shared/samples/stocks-daily.csv')

/** Beside the checkout where Kantor is developed, as the recorded bodies are. */
export const hasStocksSample: boolean = existsSync(FILE)

/** A real day of a real stock: figures exactly as they were written, nothing adjusted. */
export interface SampleDay {
  readonly ticker: string
  readonly date: string
  readonly open: string
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
  /** A share's dividend, on its ex-date; null on other days. */
  readonly dividend: string | null
}

/** Oldest first. */
export function readSample(): SampleDay[] {
  const [heading, ...lines] = readFileSync(FILE, 'utf8').trim().split(/\r?\n/)
  if (heading !== 'ticker,date,open,high,low,close,volume,ex_dividend,split_ratio') {
    throw new Error(`stocks-daily.csv has other columns: ${heading}`)
  }
  const days = lines.map(sampleDay)
  return days.toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1))
}

const keyOf = ({ ticker, date }: SampleDay) => `${date} ${ticker}`

function sampleDay(line: string): SampleDay {
  const [ticker = '', date = '', open = '', high = '', low = '', close = '', volume = '', paid = '', ratio] =
    line.split(',')
  if (Number(ratio) !== 1) throw new Error(`a split on ${date}: this test expects none in the data`)
  return { ticker, date, open, high, low, close, volume, dividend: Number(paid) === 0 ? null : paid }
}

/** YYYY-MM-DD, `days` later. */
export function dayLater(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}

const newYork = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hour: '2-digit',
  hourCycle: 'h23',
})

/** That hour of that day in New York, in ms. By asking what time it is there, not by a rule. */
export function newYorkTime(date: string, hour: number): number {
  const inWinter = Date.parse(`${date}T00:00:00Z`) + (hour + 5) * 3_600_000
  return Number(newYork.format(inWinter)) === hour ? inWinter : inWinter - 3_600_000
}
