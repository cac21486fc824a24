import { ERRORS } from '@kantor/contract/errors'
import type { ErrorCode } from '@kantor/contract/errors'
import type { RuleStatus } from '@kantor/contract/api'
import type { Done, Lateness, Rule, Timing, Trigger } from './rule.ts'
import { nextRunAfter } from './schedule.ts'

/** What changes in a rule's row; the rest stays. */
export interface NextState {
  readonly state: RuleStatus
  readonly reason: string | null
  readonly run: number
  readonly tries: number
  readonly triedAt: Date | null
  readonly triedReason: string | null
  readonly plannedFor: Date | null
  readonly wakeAt: Date | null
  readonly trigger: Trigger | null
}

/** How the pending run ended. */
export type Ending =
  | { readonly outcome: 'done'; readonly done: Done }
  | { readonly outcome: 'refused'; readonly reason: ErrorCode }
  | { readonly outcome: 'missed' }

/**
 * Minutes between the tries of a run that is refused for now: six in all, the last 7 h 45 min after its time, so that
 * money which arrives during the day still pays what was due in the morning.
 */
const RETRY_MINUTES = [15, 30, 60, 120, 240]
/** How long a rule that waits for a value rests when dealing is not possible just now. */
const VALUE_RETRY_MINUTES = 1

/** What may be otherwise in a while, without its owner changing the rule. Whatever is not here ends the run at once. */
const PASSING: ReadonlySet<ErrorCode> = new Set([
  'insufficient_funds',
  'exposure_limit',
  'asset_frozen',
  'rate_unknown',
  'quote_expired',
  'price_unknown',
])
/** Waiting for a price while there is nothing to pay with would convert at a moment that nobody chose. */
const ENDS_WAITING: ReadonlySet<ErrorCode> = new Set(['insufficient_funds'])

function isPassing(reason: ErrorCode, timing: Timing): boolean {
  const { status } = ERRORS[reason]
  if ('trigger' in timing && ENDS_WAITING.has(reason)) return false
  return status >= 500 || status === 429 || PASSING.has(reason)
}

/** Whether a run is too late to be made up for. Rules that wait for a value have no date that they could miss. */
export function isMissed(rule: Rule, timing: Timing, lateness: Lateness, now: Date): boolean {
  if (rule.plannedFor === null || !('schedule' in timing)) return false
  if (now.getTime() - rule.plannedFor.getTime() > lateness.secondsMax * 1_000) return true
  if (lateness.missed === 'each') return false
  const next = nextRunAfter(timing.schedule, rule.plannedFor, rule.run + 1)
  return next !== null && next <= now
}

/** What follows a refusal for now: the same run again, later. Null: the run has ended with it. */
export function afterPassingRefusal(
  rule: Rule,
  timing: Timing,
  reason: ErrorCode,
  now: Date,
): NextState | null {
  if (!isPassing(reason, timing)) return null
  const waitMinutes = 'trigger' in timing ? VALUE_RETRY_MINUTES : RETRY_MINUTES[rule.tries]
  if (waitMinutes === undefined) return null
  return {
    ...stateOf(rule),
    tries: rule.tries + 1,
    triedAt: now,
    triedReason: reason,
    wakeAt: new Date(now.getTime() + waitMinutes * 60_000),
  }
}

/** What follows the end of a run. */
export function afterRun(rule: Rule, timing: Timing, ending: Ending): NextState {
  const ended = { ...stateOf(rule), run: rule.run + 1, tries: 0, triedAt: null, triedReason: null }
  return 'schedule' in timing ? afterDate(ended, rule, timing.schedule, ending) : afterValue(ended, ending)
}

function afterDate(
  ended: NextState,
  rule: Rule,
  schedule: Extract<Timing, { schedule: unknown }>['schedule'],
  ending: Ending,
): NextState {
  if (rule.plannedFor === null) throw new Error(`rule ${rule.id} ran by the clock without a date`)
  const next = nextRunAfter(schedule, rule.plannedFor, ended.run)
  if (next !== null) return { ...ended, plannedFor: next, wakeAt: next }
  const over = { ...ended, plannedFor: null, wakeAt: null }
  if (schedule.repeat !== 'once' || ending.outcome === 'done') return { ...over, state: 'done' }
  return { ...over, state: 'failed', reason: ending.outcome === 'refused' ? ending.reason : 'run_missed' }
}

function afterValue(ended: NextState, ending: Ending): NextState {
  if (ending.outcome === 'missed') throw new Error('a rule that waits for a value cannot miss it')
  if (ending.outcome === 'refused') return { ...ended, state: 'paused', reason: ending.reason, wakeAt: null }
  const { waitsFor } = ending.done
  if (waitsFor === undefined) return { ...ended, state: 'done', wakeAt: null }
  return { ...ended, trigger: waitsFor.trigger, wakeAt: waitsFor.restUntil }
}

/** Something else to wait for, without a run. */
export function rearmed(rule: Rule, trigger: Trigger): NextState {
  return { ...stateOf(rule), trigger, wakeAt: null }
}

export function stateOf(rule: Rule): NextState {
  const { state, reason, run, tries, triedAt, triedReason, plannedFor, wakeAt, trigger } = rule
  return { state, reason, run, tries, triedAt, triedReason, plannedFor, wakeAt, trigger }
}
