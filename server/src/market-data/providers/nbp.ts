import { z } from 'zod'
import { jsonNumber, parseExactJson, plainDecimal, readShape } from './exact-json.ts'
import { fingerprint } from './fingerprint.ts'
import { fetchText } from './fetch-text.ts'
import { ProviderError, type DraftRate, type RateProvider, type RateSnapshotDraft } from './rate-provider.ts'
import { isCalendarDay, zonedMoment } from './zoned-time.ts'

export interface NbpOptions {
  /** `https://api.nbp.pl` */
  readonly url: string
  /** A: mid rates of 33 currencies. C: what the bank buys and sells 13 of them at. */
  readonly table?: 'A' | 'C'
  readonly clock: () => Date
  readonly deadlineSeconds?: number
  readonly bodyBytesMax?: number
}

/** The API gives at most 93 days at once: https://api.nbp.pl/en.html */
const HISTORY_DAYS = 90

const day = z.string().refine(isCalendarDay, 'must be a day')
const midTable = z.object({
  effectiveDate: day,
  rates: z.array(z.object({ code: z.string(), mid: jsonNumber })),
})
const bidAskTable = z.object({
  tradingDate: day,
  effectiveDate: day,
  rates: z.array(z.object({ code: z.string(), bid: jsonNumber, ask: jsonNumber })),
})

/** What one unit of a currency costs in PLN, in whatever unit all of its table has (mid, or bid + ask). */
interface PlnPrices {
  readonly asOf: Date
  /** What one PLN is in that unit: 1 for mid, 2 for bid + ask. */
  readonly one: string
  readonly prices: ReadonlyMap<string, string>
}

/** Rates of Narodowy Bank Polski, crossed exactly from PLN to EUR. */
export function nbpProvider(options: NbpOptions): RateProvider {
  const table = options.table ?? 'A'
  const read = async (days: string, signal: AbortSignal) =>
    tablesOf(table, await ask(options, `/api/exchangerates/tables/${table}${days}`, signal))
  return {
    name: 'nbp',
    kind: 'daily',
    simulated: false,
    intervalSeconds: 3600,
    requestsPerMonth: null,
    configuredAs: fingerprint(options.url, table),
    async latest(signal) {
      const newest = (await read('', signal)).at(-1)
      if (newest === undefined)
        throw new ProviderError('no_data', 'empty', 'The provider has no table to offer.')
      return againstEuro(newest)
    },
    async history(signal) {
      const until = options.clock()
      const from = new Date(until.getTime() - HISTORY_DAYS * 86_400_000)
      const days = `/${from.toISOString().slice(0, 10)}/${until.toISOString().slice(0, 10)}`
      return (await read(days, signal)).map(againstEuro)
    },
  }
}

async function ask(options: NbpOptions, path: string, signal: AbortSignal): Promise<unknown> {
  const answer = await fetchText({
    url: new URL(`${options.url.replace(/(?:\/api)?\/*$/, '')}${path}?format=json`),
    headers: { accept: 'application/json' },
    signal,
    deadlineSeconds: options.deadlineSeconds ?? 15,
    bodyBytesMax: options.bodyBytesMax ?? 2_000_000,
  })
  const { status } = answer
  if (status === 200) return parseExactJson(answer.text)
  // Errors are plain text. 404 is how it says that a day has no table, as on weekends.
  if (status === 404)
    throw new ProviderError('no_data', 'http_404', 'The provider has no table for these days.')
  const kind = status >= 500 || status === 429 ? 'transient' : 'bad_answer'
  throw new ProviderError(kind, `http_${status}`, `The provider answered HTTP ${status}.`)
}

function tablesOf(table: 'A' | 'C', body: unknown): PlnPrices[] {
  const tables =
    table === 'A'
      ? readShape(z.array(midTable), body).map((day) => ({
          // Set between 11:00 and 11:45 in Warsaw and published by 12:15.
          asOf: zonedMoment(day.effectiveDate, '11:45', 'Europe/Warsaw'),
          one: '1',
          prices: new Map(day.rates.map(({ code, mid }) => [code, decimal(mid)] as const)),
        }))
      : readShape(z.array(bidAskTable), body).map((day) => ({
          // Set on the trading day before the day it is effective: the older of the two is when it was true.
          asOf: zonedMoment(day.tradingDate, '15:50', 'Europe/Warsaw'),
          one: '2',
          prices: new Map(
            day.rates.map(({ code, bid, ask }) => [code, sum(decimal(bid), decimal(ask))] as const),
          ),
        }))
  return tables.toSorted((left, right) => left.asOf.getTime() - right.asOf.getTime())
}

/**
 * 1 EUR = (PLN per EUR) / (PLN per X) of X, kept as that quotient: it has no finite decimal. For bid and ask the
 * mid is their mean, and the halves cancel: (bidE + askE) / (bidX + askX).
 */
function againstEuro(table: PlnPrices): RateSnapshotDraft {
  const euro = table.prices.get('EUR')
  if (euro === undefined)
    throw new ProviderError('bad_answer', 'no_euro', 'The table has no EUR to cross by.')
  const rates: DraftRate[] = [{ code: 'PLN', rate: euro, per: table.one }]
  for (const [code, price] of table.prices) if (code !== 'EUR') rates.push({ code, rate: euro, per: price })
  return { provider: 'nbp', asOf: table.asOf, base: 'EUR', rates }
}

function decimal(source: string): string {
  const text = plainDecimal(source)
  if (text === null)
    throw new ProviderError('bad_answer', 'not_a_rate', 'The table holds a number that is no rate.')
  return text
}

/** The exact sum of two plain decimals. */
function sum(left: string, right: string): string {
  const places = Math.max(fractionOf(left).length, fractionOf(right).length)
  const scaled = (text: string) => BigInt(text.replace(/\..*$/, '') + fractionOf(text).padEnd(places, '0'))
  const digits = (scaled(left) + scaled(right)).toString().padStart(places + 1, '0')
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`
}

function fractionOf(text: string): string {
  return text.split('.')[1] ?? ''
}
