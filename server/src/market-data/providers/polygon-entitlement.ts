import { dayAfter, newYorkDate } from './new-york.ts'
import { polygonRange } from './polygon-bars.ts'
import { polygonSnapshot } from './polygon-now.ts'
import type { PolygonAccess } from './polygon-request.ts'
import { ProviderError } from './rate-provider.ts'
import type { RequestPlan } from './request-budget.ts'
import type { Entitlement, StockBars, StockCall } from './stock-provider.ts'

/** A second over the minute: the moments of several processes are compared, see `requestBudget`. */
export const FREE_PLAN: RequestPlan = { requestsMax: 5, windowSeconds: 61 }
/** Paid plans name no limit but ask to stay under 100 a second; this is far more than a whole backfill wants. */
export const PAID_PLAN: RequestPlan = { requestsMax: 100, windowSeconds: 10 }

/** Traded every minute of every session, and in every plan that has anything. */
const PROBE_TICKER = 'AAPL'

type Probe =
  | { readonly allowed: true; readonly delayed: boolean }
  | { readonly allowed: false; readonly sentence: string }

/**
 * Asks for what the plans differ in: snapshots, and bars of the running day. Free keys are refused both, delayed
 * ones are given them flagged `DELAYED`. Costs two requests. What it finds sets the shared requests a minute,
 * unless the operator has named the plan.
 * @throws ProviderError for anything but a refusal by plan: then nothing is known
 */
export async function probePolygon(
  access: PolygonAccess,
  options: { readonly plan: RequestPlan | null; readonly clock: () => Date },
  call: StockCall,
): Promise<Entitlement> {
  const today = newYorkDate(options.clock().getTime())
  const range = { ticker: PROBE_TICKER, span: 'minute', from: dayAfter(today, -1), to: today } as const
  const snapshots = await probe(() => polygonSnapshot(access, [PROBE_TICKER], call))
  const intraday = await probe(() =>
    polygonRange(access, range, call).then((bars) => provesToday(bars, today, snapshots)),
  )
  const found = snapshots.allowed || intraday.allowed ? PAID_PLAN : FREE_PLAN
  const plan = options.plan ?? found
  await access.budget.setPlan(plan)
  return {
    timeliness: timelinessOf(snapshots, intraday),
    snapshots: snapshots.allowed,
    intraday: intraday.allowed,
    stream: null,
    refused: [
      ...(snapshots.allowed ? [] : [{ what: 'snapshots', sentence: snapshots.sentence }]),
      ...(intraday.allowed ? [] : [{ what: 'intraday bars', sentence: intraday.sentence }]),
    ],
    requestsPerMinute: plan === FREE_PLAN ? FREE_PLAN.requestsMax : null,
    probedAt: options.clock(),
  }
}

/** On a weekend a free key is not refused but given nothing: only bars of today prove that it may see them. */
function provesToday(bars: StockBars, today: string, snapshots: Probe): StockBars {
  if (snapshots.allowed || bars.bars.some(({ date }) => date === today)) return bars
  throw new ProviderError('plan', 'not_authorized', 'No bars of the running day were given.')
}

function timelinessOf(...probes: readonly Probe[]): Entitlement['timeliness'] {
  if (probes.every(({ allowed }) => !allowed)) return 'endOfDay'
  return probes.some((one) => one.allowed && one.delayed) ? 'delayed' : 'realTime'
}

async function probe(ask: () => Promise<{ readonly delayed: boolean }>): Promise<Probe> {
  try {
    const { delayed } = await ask()
    return { allowed: true, delayed }
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'not_authorized') {
      return { allowed: false, sentence: error.message }
    }
    throw error
  }
}
