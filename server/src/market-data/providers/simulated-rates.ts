import { fingerprint } from './fingerprint.ts'
import type { RateProvider, RateSnapshotDraft } from './rate-provider.ts'
import { walkAt } from './simulated-walk.ts'

export interface SimulatedRatesOptions {
  readonly seed: number
  readonly clock: () => Date
  /** True: prices stand still from Friday 17:00 to Sunday 18:00 in New York, as the real market does. */
  readonly sessionHours?: boolean
  readonly historyDays?: number
}

/** How much a currency moves (yearly volatility, 0.1 = 10 %), and with what. */
interface Character {
  readonly code: string
  /** What 1 EUR is in it when every walk is at zero: about the level of late 2026. */
  readonly level: number
  readonly own: number
  /** Shares of the walks that move many at once: the dollar, appetite for risk, commodities. */
  readonly dollar?: number
  readonly risk?: number
  readonly commodity?: number
}

/**
 * The simulated currencies. Pegs follow the dollar (or the euro) with next to no walk of their own; a negative
 * `risk` means that it falls against EUR when risk is wanted less.
 */
const CHARACTERS: readonly Character[] = [
  { code: 'USD', level: 1.1642, own: 0.01, dollar: 0.07 },
  { code: 'GBP', level: 0.8715, own: 0.05, risk: 0.01 },
  { code: 'CHF', level: 0.9342, own: 0.04, risk: 0.03 },
  { code: 'JPY', level: 171.25, own: 0.07, dollar: 0.02, risk: 0.05 },
  { code: 'PLN', level: 4.2487, own: 0.03, risk: -0.04 },
  { code: 'CZK', level: 24.615, own: 0.03, risk: -0.02 },
  { code: 'HUF', level: 392.4, own: 0.05, risk: -0.05 },
  { code: 'RON', level: 5.0874, own: 0.01, risk: -0.01 },
  { code: 'DKK', level: 7.4604, own: 0.001 },
  { code: 'SEK', level: 11.184, own: 0.05, risk: -0.04 },
  { code: 'NOK', level: 11.692, own: 0.05, risk: -0.03, commodity: -0.05 },
  { code: 'ISK', level: 142.1, own: 0.05 },
  { code: 'TRY', level: 47.31, own: 0.12, dollar: 0.03, risk: -0.05 },
  { code: 'UAH', level: 48.72, own: 0.05, dollar: 0.06 },
  { code: 'CNY', level: 8.3021, own: 0.02, dollar: 0.06 },
  { code: 'HKD', level: 9.0874, own: 0.003, dollar: 0.07 },
  { code: 'SGD', level: 1.4963, own: 0.02, dollar: 0.04 },
  { code: 'KRW', level: 1618.4, own: 0.05, dollar: 0.03, risk: -0.03 },
  { code: 'INR', level: 101.85, own: 0.03, dollar: 0.06 },
  { code: 'IDR', level: 18992, own: 0.04, dollar: 0.05, risk: -0.02 },
  { code: 'MYR', level: 4.9127, own: 0.03, dollar: 0.05 },
  { code: 'PHP', level: 66.42, own: 0.04, dollar: 0.05 },
  { code: 'THB', level: 37.91, own: 0.04, dollar: 0.04 },
  { code: 'AUD', level: 1.7845, own: 0.05, risk: -0.04, commodity: -0.04 },
  { code: 'NZD', level: 1.9716, own: 0.06, risk: -0.04, commodity: -0.02 },
  { code: 'CAD', level: 1.6108, own: 0.03, dollar: 0.03, commodity: -0.04 },
  { code: 'MXN', level: 21.734, own: 0.07, dollar: 0.03, risk: -0.05 },
  { code: 'BRL', level: 6.3412, own: 0.1, risk: -0.06, commodity: -0.04 },
  { code: 'ZAR', level: 20.614, own: 0.09, risk: -0.07, commodity: -0.03 },
  { code: 'ILS', level: 3.9217, own: 0.06, risk: -0.03 },
  { code: 'AED', level: 4.2755, own: 0, dollar: 0.07 },
  { code: 'SAR', level: 4.3658, own: 0, dollar: 0.07 },
  { code: 'EGP', level: 56.32, own: 0.08, dollar: 0.05 },
  { code: 'BTC', level: 0.0000108, own: 0.42, dollar: 0.03, risk: -0.2 },
  { code: 'ETH', level: 0.0003215, own: 0.5, dollar: 0.03, risk: -0.28 },
]

const SIGNIFICANT_DIGITS = 6
const HOUR_MS = 3_600_000
const HISTORY_DAYS = 730
/** The last days are given by the hour, for charts of a day and a week. */
const HOURLY_DAYS = 14

/**
 * A made-up market, the default without keys. The same seed and moment always give the same prices, in any
 * process; years of them exist without being kept. It answers through the same door as every other provider.
 */
export function simulatedRates(options: SimulatedRatesOptions): RateProvider {
  const at = (moment: Date) => simulatedSnapshot(options, moment)
  return {
    name: 'simulated',
    kind: 'hourly',
    simulated: true,
    intervalSeconds: 600,
    requestsPerMonth: null,
    configuredAs: fingerprint(`${options.seed}`),
    latest: async () => at(wholeMinute(options.clock())),
    history: async () => historyMoments(options.clock(), options.historyDays ?? HISTORY_DAYS).map(at),
  }
}

function simulatedSnapshot(options: SimulatedRatesOptions, asOf: Date): RateSnapshotDraft {
  const moment = options.sessionHours === true ? lastOpenMoment(asOf) : asOf
  const walk = (name: string) => walkAt(options.seed, name, moment.getTime())
  const [dollar, risk, commodity] = [walk('dollar'), walk('risk'), walk('commodity')]
  const rates = CHARACTERS.map((character) => {
    const logarithm =
      character.own * walk(character.code) +
      (character.dollar ?? 0) * dollar +
      (character.risk ?? 0) * risk +
      (character.commodity ?? 0) * commodity
    return { code: character.code, rate: decimal(character.level * Math.exp(logarithm)), per: '1' }
  })
  return { provider: 'simulated', asOf, base: 'EUR', rates }
}

/** Six significant digits, as feeds give them; rounding also hides the last bits in which machines may differ. */
function decimal(value: number): string {
  const places = Math.max(0, SIGNIFICANT_DIGITS - 1 - Math.floor(Math.log10(value)))
  return value.toFixed(places)
}

function wholeMinute(moment: Date): Date {
  return new Date(Math.floor(moment.getTime() / 60_000) * 60_000)
}

function historyMoments(now: Date, days: number): Date[] {
  const moments: Date[] = []
  const thisHour = Math.floor(now.getTime() / HOUR_MS) * HOUR_MS
  const firstHour = thisHour - HOURLY_DAYS * 24 * HOUR_MS
  for (let back = days; back > HOURLY_DAYS; back -= 1) moments.push(new Date(thisHour - back * 24 * HOUR_MS))
  for (let hour = firstHour; hour < thisHour; hour += HOUR_MS) moments.push(new Date(hour))
  return moments
}

/** This moment, or the Friday 17:00 in New York that the market has been closed since. */
function lastOpenMoment(moment: Date): Date {
  if (!isClosed(moment)) return moment
  let hour = Math.floor(moment.getTime() / HOUR_MS) * HOUR_MS
  // Closed for 49 hours, 50 when daylight saving ends.
  for (let step = 0; step < 51 && isClosed(new Date(hour - HOUR_MS)); step += 1) hour -= HOUR_MS
  return new Date(hour)
}

const NEW_YORK = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  weekday: 'short',
  hour: '2-digit',
  hourCycle: 'h23',
})

function isClosed(moment: Date): boolean {
  const parts = new Map(NEW_YORK.formatToParts(moment).map(({ type, value }) => [type, value] as const))
  const hour = Number(parts.get('hour'))
  const weekday = parts.get('weekday')
  return weekday === 'Sat' || (weekday === 'Fri' && hour >= 17) || (weekday === 'Sun' && hour < 18)
}
