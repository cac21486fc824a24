import { priceAlert, priceAlertChange, priceAlertRequest } from '@kantor/contract/api'
import type { DryRun, PriceAlert, PriceAlertRequest } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import { formatRate, parseRate, rateOf } from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Route } from '#http'
import { dailyCloses, pairPast } from '#market-data'
import type { PriceBook, RateProvider } from '#market-data'
import { ruleRoutes, ruleStateBody, yearBefore } from '#rules'
import type { DefinedRule, KeepDeps, Rule } from '#rules'
import { isThere, seenValue } from './price-alert-rule.ts'
import type { AlertDeps, PriceAlertDefinition } from './price-alert-rule.ts'

export type PriceAlertRoutesDeps = AlertDeps &
  KeepDeps & {
    readonly providers: readonly RateProvider[]
    /** Whose closes a dry run goes by. */
    readonly prices: Pick<PriceBook, 'source' | 'simulated'>
    readonly kind: DefinedRule<PriceAlertDefinition>
  }

export function priceAlertRoutes(deps: PriceAlertRoutesDeps): Route[] {
  return ruleRoutes(deps, {
    path: '/price-alerts',
    tag: 'notifications',
    access: 'trade',
    kind: deps.kind,
    noun: 'a price alert',
    summary:
      'Be told once when a rate (by mid) or a share (by its last price) gets somewhere, or each time that it gets there again.',
    request: priceAlertRequest,
    change: priceAlertChange,
    reply: priceAlert,
    problems: ['rate_unknown', 'same_asset', 'instrument_not_found', 'alert_met_already'],
    define: (_walletId, request) => define(deps, request),
    redefine: ({ definition }, { direction, value, repeat }) =>
      judged(deps, {
        ...definition,
        direction: direction ?? definition.direction,
        value: value ?? definition.value,
        repeat: repeat ?? definition.repeat,
      }),
    show: (rules) => Promise.all(rules.map((rule) => show(deps, rule))),
    dryRun: (_walletId, definition) => tryOut(deps, definition),
  })
}

async function define(deps: PriceAlertRoutesDeps, request: PriceAlertRequest): Promise<PriceAlertDefinition> {
  const { instrument: reference, pair, direction, value, repeat } = request
  if (pair !== undefined) {
    if (pair.base === pair.counter) throw new Problem('same_asset')
    if (deps.rates.rate(pair.base, pair.counter).unknown) throw new Problem('rate_unknown')
    return judged(deps, { instrumentId: null, pair, direction, value, repeat })
  }
  const instrument = reference === undefined ? null : await deps.instruments.byIdOrTicker(reference)
  if (instrument === null) throw new Problem('instrument_not_found')
  return judged(deps, { instrumentId: instrument.id, pair: null, direction, value, repeat })
}

/** A value that is there already is rather a wrong side than a wish to be told at once. */
async function judged(deps: AlertDeps, definition: PriceAlertDefinition): Promise<PriceAlertDefinition> {
  const seen = await seenValue(deps, definition)
  if (seen !== null && isThere(definition, seen.value)) {
    const side = definition.direction === 'above' ? 'above' : 'below'
    const now = formatRate(seen.value, SHOWN_DIGITS, 'halfEven')
    throw new Problem('alert_met_already', {
      errors: [{ path: 'value', message: `must be ${side} the present value, ${now}` }],
    })
  }
  return definition
}

const SHOWN_DIGITS = 10

async function show(deps: AlertDeps, rule: Rule<PriceAlertDefinition>): Promise<PriceAlert> {
  const { instrumentId, pair, direction, value, repeat } = rule.definition
  const instrument = instrumentId === null ? null : await deps.instruments.byId(instrumentId)
  const currency = pair?.counter ?? instrument?.currency
  if (currency === undefined) throw new Error(`alert ${rule.id} is on something unknown`)
  const rests = rule.state === 'active' && rule.triedAt === null && rule.wakeAt !== null
  return {
    ...ruleStateBody(rule),
    instrument: instrument && { id: `${instrument.id}`, ticker: instrument.ticker, name: instrument.name },
    pair,
    direction,
    value,
    currency,
    repeat,
    restsUntil: rests ? (rule.wakeAt?.toISOString() ?? null) : null,
  }
}

interface PastValue {
  readonly at: Date
  readonly value: Rate
}

/**
 * When the value got there in the past year, by what is stored: a pair by the hour, a share by its closes, in terms of
 * the shares of today.
 */
async function tryOut(deps: PriceAlertRoutesDeps, definition: PriceAlertDefinition): Promise<DryRun> {
  const to = deps.clock()
  const from = yearBefore(to)
  const past = await pastOf(deps, definition, { from, to })
  const told: PastValue[] = []
  let isArmed = false
  for (const each of past.values) {
    const there = isThere(definition, each.value)
    if (there && isArmed) told.push(each)
    isArmed = !there
    if (told.length > 0 && !definition.repeat) break
  }
  const seen = await seenValue(deps, definition)
  return {
    from: from.toISOString(),
    to: to.toISOString(),
    runs: told.slice(0, TOLD_MAX).map(({ at, value }) => ({
      at: at.toISOString(),
      outcome: 'done',
      rate: formatRate(value, SHOWN_DIGITS, 'halfEven'),
    })),
    totals: { runs: told.length, unknown: 0, from: null, to: null, averageRate: null },
    today: seen && {
      rate: formatRate(seen.value, SHOWN_DIGITS, 'halfEven'),
      rateAsOf: seen.asOf.toISOString(),
    },
    data: past.data,
  }
}

/** More would be a list that nobody reads; the total says how many there were. */
const TOLD_MAX = 366

async function pastOf(
  deps: PriceAlertRoutesDeps,
  { instrumentId, pair }: PriceAlertDefinition,
  { from, to }: { from: Date; to: Date },
): Promise<{ values: readonly PastValue[]; data: DryRun['data'] }> {
  if (pair !== null) {
    const past = await pairPast(deps.db, deps.providers, { ...pair, from, to })
    const values = (past?.rates ?? []).map(({ asOf, rate }) => ({ at: asOf, value: rate }))
    return { values, data: past && dataOf(values, past.source, past.simulated) }
  }
  const { source, simulated } = deps.prices
  const closes = await dailyCloses(deps.db, instrumentId ?? 0, {
    from: from.toISOString().slice(0, 10),
    to: to.toISOString().slice(0, 10),
    provider: source,
  })
  const values = closes.flatMap(({ date, close, splitFactor }) => {
    const read = parseRate(close)
    if (!read.ok) return []
    const { numerator, denominator } = read.rate
    const value = rateOf(numerator * splitFactor.numerator, denominator * splitFactor.denominator)
    return [{ at: new Date(`${date}T21:00:00.000Z`), value }]
  })
  return { values, data: dataOf(values, source, simulated) }
}

function dataOf(values: readonly PastValue[], source: string, simulated: boolean): DryRun['data'] {
  const [first, last] = [values.at(0), values.at(-1)]
  if (first === undefined || last === undefined) return null
  return {
    source,
    simulated,
    first: first.at.toISOString(),
    last: last.at.toISOString(),
    points: values.length,
  }
}
