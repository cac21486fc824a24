import { compareRates, parseRate, rateOf, type Rate, type RateRefusal } from '@kantor/contract/money'
import type { RateSnapshotDraft } from './providers/rate-provider.ts'

/** One believed rate: exact, with the text it came as (which is what gets stored). */
export interface SaneRate {
  readonly code: string
  readonly rate: string
  readonly per: string
  readonly value: Rate
}

export interface SaneSnapshot {
  readonly provider: string
  readonly asOf: Date
  readonly rates: readonly SaneRate[]
}

export type DraftRefusal =
  | 'wrong_base'
  | 'no_rates'
  | 'too_many_codes'
  | 'bad_code'
  | 'code_twice'
  | RateRefusal
  | 'future_dated'
  | 'older_than_held'

export type ReadDraft =
  | { readonly ok: true; readonly snapshot: SaneSnapshot }
  | { readonly ok: false; readonly reason: DraftRefusal; readonly code: string | null }

/** ISO 4217 has about 180; a feed with more than this is something else. */
const CODES_MAX = 1000
/** Clocks differ, and a table may be dated at the minute it is due. */
const FUTURE_TOLERANCE_SECONDS = 600

/**
 * The rules that need no history. One value that breaks them refuses the whole draft: a feed that says NaN of
 * one currency is not believed about the others.
 */
export function readDraft(draft: RateSnapshotDraft, held: { asOf: Date } | null, now: Date): ReadDraft {
  const refuse = (reason: DraftRefusal, code: string | null = null): ReadDraft => ({
    ok: false,
    reason,
    code,
  })
  if (draft.base !== 'EUR') return refuse('wrong_base')
  if (draft.rates.length > CODES_MAX) return refuse('too_many_codes')
  if (!(draft.asOf.getTime() <= now.getTime() + FUTURE_TOLERANCE_SECONDS * 1000))
    return refuse('future_dated')
  if (held !== null && draft.asOf < held.asOf) return refuse('older_than_held')
  const seen = new Map<string, SaneRate>()
  for (const { code, rate, per } of draft.rates) {
    if (!/^[A-Z0-9]{2,12}$/.test(code)) return refuse('bad_code', code.slice(0, 12))
    if (seen.has(code)) return refuse('code_twice', code)
    const top = parseRate(rate)
    if (!top.ok) return refuse(top.reason, code)
    const bottom = parseRate(per)
    if (!bottom.ok) return refuse(bottom.reason, code)
    const value = rateOf(
      top.rate.numerator * bottom.rate.denominator,
      top.rate.denominator * bottom.rate.numerator,
    )
    if (!fitsTable(top.rate) || !fitsTable(bottom.rate)) return refuse('out_of_bounds', code)
    seen.set(code, { code, rate, per, value })
  }
  const euro = seen.get('EUR')
  if (euro !== undefined && compareRates(euro.value, ONE) !== 0) return refuse('wrong_base', 'EUR')
  seen.delete('EUR')
  if (seen.size === 0) return refuse('no_rates')
  return { ok: true, snapshot: { provider: draft.provider, asOf: draft.asOf, rates: [...seen.values()] } }
}

const ONE = rateOf(1n, 1n)

/** The CHECK of market_data.rates, asserted here too. */
function fitsTable(rate: Rate): boolean {
  return rate.numerator < rate.denominator * 10n ** 15n
}

/** A value that moved further than is believed at once. */
export interface Jump {
  readonly code: string
  readonly held: string
  readonly offered: string
  readonly moveBps: number
  readonly limitBps: number
}

/** The most traded currencies, whose moves between polls stay within 3 % but for once in a decade. */
const MAJORS: ReadonlySet<string> = new Set([
  'USD',
  'JPY',
  'GBP',
  'CHF',
  'AUD',
  'CAD',
  'NZD',
  'SEK',
  'NOK',
  'DKK',
])
const JUMP_FLOOR_BPS = 300
/** Even the wildest currency does not halve between polls without somebody else saying so. */
const JUMP_CEILING_BPS = 2500
const JUMP_UNKNOWN_BPS = 500
const JUMP_SIGMAS = 5

/**
 * How far a value may move at once: 3 % for majors; for others 5 σ of their own over the time that passed,
 * but never less than 3 %, since a pegged currency has nearly no σ and any step would exceed it.
 * @param sigmaBps bps per square root of an hour; null where too little history tells
 */
export function jumpLimitBps(code: string, sigmaBps: number | null, hours: number): number {
  if (MAJORS.has(code)) return JUMP_FLOOR_BPS
  if (sigmaBps === null) return JUMP_UNKNOWN_BPS
  const limit = JUMP_SIGMAS * sigmaBps * Math.sqrt(Math.max(hours, 1))
  return Math.min(JUMP_CEILING_BPS, Math.max(JUMP_FLOOR_BPS, limit))
}

/** How far apart two rates are, in basis points of the first. A measure, not money: floats will do. */
export function apartBps(first: Rate, second: Rate): number {
  return Math.abs(approximate(second) / approximate(first) - 1) * 10_000
}

/** The nearest float of a rate, for measures and charts only. */
export function approximate(rate: Rate): number {
  return Number(rate.numerator) / Number(rate.denominator)
}

/** What one currency is compared with: the last value held of the same provider, or else of another one. */
export interface Reference {
  readonly value: Rate
  readonly asOf: Date
}

/**
 * The codes whose value jumped. `sigmas` is asked only for those beyond the floor, since computing it for all
 * 170 codes of a feed would read a month of history at each poll.
 */
export async function findJumps(
  snapshot: SaneSnapshot,
  references: ReadonlyMap<string, Reference>,
  sigmas: (codes: string[]) => Promise<ReadonlyMap<string, number>>,
): Promise<Jump[]> {
  const far = snapshot.rates.flatMap((rate) => {
    const reference = references.get(rate.code)
    if (reference === undefined) return []
    const moveBps = apartBps(reference.value, rate.value)
    return moveBps > JUMP_FLOOR_BPS ? [{ rate, reference, moveBps }] : []
  })
  if (far.length === 0) return []
  const sigmaOf = await sigmas(far.map(({ rate }) => rate.code))
  return far.flatMap(({ rate, reference, moveBps }) => {
    const hours = (snapshot.asOf.getTime() - reference.asOf.getTime()) / 3_600_000
    const limitBps = jumpLimitBps(rate.code, sigmaOf.get(rate.code) ?? null, hours)
    if (moveBps <= limitBps) return []
    const shown = (value: Rate) => approximate(value).toPrecision(8)
    return [
      {
        code: rate.code,
        held: shown(reference.value),
        offered: shown(rate.value),
        moveBps: Math.round(moveBps),
        limitBps: Math.round(limitBps),
      },
    ]
  })
}
