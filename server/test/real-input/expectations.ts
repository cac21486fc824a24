import { expect, vi } from 'vitest'
import { converted, decimal, quotient, trimmed } from './exact.ts'
import type { KantorAt } from './kantor-at.ts'
import type { Person } from './person.ts'
import type { Recorded } from './recordings.ts'

export interface Rates {
  readonly items: readonly {
    readonly counter: string
    readonly mid: string
    readonly asOf: string
    readonly source: string
    readonly ageSeconds: number
    readonly stale: boolean
  }[]
  readonly unknown: readonly string[]
}

interface Quote {
  readonly from: { readonly amount: string }
  readonly to: { readonly amount: string }
  readonly fee: { readonly amount: string }
  readonly mid: string
  readonly marginBps: number
  readonly rateAsOf: string
  readonly source: string
  readonly expiresAt: string
}

/** Settings of an installation on a database of its own. */
export function settingsFor(databaseUrl: string) {
  return {
    DATABASE_URL: databaseUrl,
    SECRET_KEY: 'k'.repeat(43),
    WELCOME_GRANT: 'EUR:10000,USD:5000,JPY:500000',
  }
}

export async function ratesOf(kantor: KantorAt, base: string): Promise<Rates> {
  const answer = await fetch(`${kantor.address}/api/v1/rates?base=${base}`)
  return (await answer.json()) as Rates
}

/** Each is the recorded one, or the quotient of two, to the ten digits that are shown. @returns how many there are */
export async function expectRecordedRates(
  kantor: KantorAt,
  { rates, asOf, provider }: Recorded,
  base: string,
): Promise<number> {
  const { items } = await ratesOf(kantor, base)
  const own = decimal(rates.get(base) ?? 'the base was not recorded')
  for (const { counter, mid, asOf: of, source } of items) {
    const recorded = decimal(rates.get(counter) ?? `${counter} was not recorded`)
    const wanted = { counter, mid: quotient(recorded, own, 10), of: asOf, source: provider }
    expect({ counter, mid: trimmed(mid), of, source }).toEqual(wanted)
  }
  return items.length
}

const WAIT_SECONDS_MAX = 60

/** For what the program does a moment later. */
export function soon<Value>(look: () => Value | Promise<Value>): Promise<Value> {
  return vi.waitFor(look, { timeout: WAIT_SECONDS_MAX * 1000, interval: 100 })
}

/** Each process looks for newer rates every second. */
export function untilShown(kantor: KantorAt, asOf: string): Promise<void> {
  return soon(async () => expect((await ratesOf(kantor, 'EUR')).items[0]?.asOf).toBe(asOf))
}

/** The house's usual terms, as its documents say them. */
const BASE_BPS = 40n
const WEEKEND_BPS = 50n
const FEE_BPS = 10n
/** Where less than ten days are known of a pair: basis points per square root of an hour of the rate's age. */
const SIGMA_ASSUMED_BPS = 30
const QUOTE_SECONDS = 30

function marginOf({ expiresAt, rateAsOf }: Quote): bigint {
  const quotedAt = Date.parse(expiresAt) - QUOTE_SECONDS * 1000
  const ageSeconds = Math.floor((quotedAt - Date.parse(rateAsOf)) / 1000)
  const ageBps = BigInt(Math.ceil(SIGMA_ASSUMED_BPS * Math.sqrt(ageSeconds / 3600)))
  return BASE_BPS + (isWeekend(new Date(quotedAt)) ? WEEKEND_BPS : 0n) + ageBps
}

/** Friday 17:00 to Sunday 18:00 in New York, which in the months that were recorded is 4 (August) or 5 hours behind. */
function isWeekend(at: Date): boolean {
  const there = new Date(at.getTime() - (at.getUTCMonth() === 7 ? 4 : 5) * 3_600_000)
  const [day, hour] = [there.getUTCDay(), there.getUTCHours()]
  return day === 6 || (day === 5 && hour >= 17) || (day === 0 && hour < 18)
}

const DIGITS: Readonly<Record<string, number>> = { BTC: 8, CLF: 4, ISK: 0, JPY: 0, KWD: 3, VND: 0 }

/** An offer is, to the last unit, what the recorded rates and the house's terms make of it. */
export async function expectIndependentQuote(
  person: Person,
  { rates, asOf, provider }: Recorded,
  [from, to, paid]: readonly [from: string, to: string, paid: string],
): Promise<void> {
  const { status, body } = await person.post<Quote>('/conversion-quotes', { from, to, fromAmount: paid })
  expect(status, JSON.stringify(body)).toBe(201)
  const [own = '', other = ''] = [rates.get(from), rates.get(to)]
  const marginBps = marginOf(body)
  const receivedDigits = DIGITS[to] ?? 2
  const { fee, received } = converted({
    paid,
    feeBps: FEE_BPS,
    marginBps,
    rates: [own, other],
    receivedDigits,
  })
  expect({
    paid: body.from.amount,
    received: body.to.amount,
    fee: body.fee.amount,
    mid: trimmed(body.mid),
    marginBps: BigInt(body.marginBps),
    source: body.source,
    asOf: body.rateAsOf,
  }).toEqual({
    paid,
    received,
    fee,
    mid: quotient(decimal(other), decimal(own), 10),
    marginBps,
    source: provider,
    asOf,
  })
}
