import { corporateActions } from '#market-data'
import type { CorporateAction } from '#market-data'
import {
  closeAction,
  closeSuperseded,
  closeUnheld,
  noteOrdersEnded,
  putOff,
} from './corporate-action-store.ts'
import { insertActions, newestKnownAction, readDue, readHolders } from './corporate-action-store.ts'
import type { DueAction } from './corporate-action-store.ts'
import { cancelOpenOrders } from './expire-orders.ts'
import type { CorporateActionDeps } from './holder-action.ts'
import { newYorkDay, newYorkDayStart } from './new-york-day.ts'
import { postForHolder } from './post-corporate-action.ts'
import { postNaming } from './post-naming.ts'

const ACTIONS_PER_READ = 1_000
const HOLDERS_PER_READ = 200
/** An action that fails is tried again after 5 minutes, 10, 20 and so on, at last every 6 hours. */
const RETRY_MINUTES = 5
const RETRY_MINUTES_MAX = 360

/** How many journals were posted, and how many actions failed and were put off. */
export interface ActionsRun {
  readonly posted: number
  readonly failed: number
}

/**
 * Takes up what became known of companies and posts what is due, holder by holder, each in a tx of its own: where a
 * run is broken off, the next goes on. Several may run at once. What fails is put off, and stops nothing else.
 */
export async function runCorporateActions(
  deps: CorporateActionDeps,
  signal?: AbortSignal,
): Promise<ActionsRun> {
  await takeUpActions(deps)
  const today = newYorkDay(deps.clock())
  await closeSuperseded(deps.db, deps.clock())
  await closeUnheld(deps.db, today, deps.clock())
  let [posted, failed] = [0, 0]
  for (;;) {
    const due = await readDue(deps.db, today, deps.clock())
    if (due === null) return { posted, failed }
    const ran = await runAction(deps, due, signal)
    posted += ran.posted
    // Broken off: the action is not done, and the next run goes on with it.
    if (signal?.aborted === true) return { posted, failed }
    if (ran.failure === null) {
      await closeAction(deps.db, due, deps.clock())
      continue
    }
    failed += 1
    await putOffAction(deps, due, ran.failure)
  }
}

async function takeUpActions({ db, priceSource }: CorporateActionDeps): Promise<void> {
  for (;;) {
    const sinceId = await newestKnownAction(db)
    const actions = await corporateActions(db, { sinceId, provider: priceSource, limit: ACTIONS_PER_READ })
    if (actions.length === 0) return
    await insertActions(db, actions)
  }
}

interface ActionRan {
  readonly posted: number
  /** What it, or the first holder that it could not be posted for, failed with. */
  readonly failure: unknown
}

async function putOffAction(deps: CorporateActionDeps, due: DueAction, failure: unknown): Promise<void> {
  const minutes = Math.min(RETRY_MINUTES * 2 ** Math.min(due.attempts, 10), RETRY_MINUTES_MAX)
  const retryAt = new Date(deps.clock().getTime() + minutes * 60_000)
  const said = failure instanceof Error ? failure.message : String(failure)
  await putOff(deps.db, due, { failure: said, retryAt })
  const fields = { err: failure, actionId: `${due.actionId}`, instrumentId: due.instrumentId, retryAt }
  deps.log.warn(fields, 'a corporate action could not be posted for everybody; it is tried again')
}

async function runAction(
  deps: CorporateActionDeps,
  due: DueAction,
  signal?: AbortSignal,
): Promise<ActionRan> {
  try {
    const [action] = await corporateActions(deps.db, {
      sinceId: due.actionId - 1n,
      provider: deps.priceSource,
      limit: 1,
    })
    // Of a provider that is no longer configured: its prices are not dealt at either.
    if (action === undefined || action.id !== due.actionId || action.withdrawn)
      return { posted: 0, failure: null }
    await endOrdersBefore(deps, due, action)
    return await postForAll(deps, due, action, signal)
  } catch (error) {
    return { posted: 0, failure: error }
  }
}

/**
 * Before a split, since an order's price and quantity are in old shares, and when a share is delisted. Once: orders
 * that were given since are in new ones.
 */
async function endOrdersBefore(
  deps: CorporateActionDeps,
  due: DueAction,
  { kind }: CorporateAction,
): Promise<void> {
  if (due.haveOrdersEnded || (kind !== 'split' && kind !== 'delisting')) return
  const { instrumentId } = due
  await cancelOpenOrders(deps, { instrumentId }, kind === 'split' ? 'split' : 'delisted')
  await noteOrdersEnded(deps.db, due, deps.clock())
}

/** A holder that it cannot be posted for does not keep the others waiting. */
async function postForAll(
  deps: CorporateActionDeps,
  due: DueAction,
  action: CorporateAction,
  signal?: AbortSignal,
): Promise<ActionRan> {
  const { instrumentId, rootId } = due
  const instrument = await deps.instruments.byId(instrumentId)
  if (instrument === null) throw new Error(`instrument ${instrumentId} has actions and is unknown`)
  const isGiving = action.kind === 'split' || action.kind === 'dividend'
  const before = isGiving ? newYorkDayStart(action.exDate) : null
  let [posted, afterWallet, failure]: [number, bigint, unknown] = [0, 0n, null]
  for (;;) {
    const holders = await readHolders(deps.db, { instrumentId, before }, afterWallet, HOLDERS_PER_READ)
    for (const walletId of holders) {
      if (signal?.aborted === true) return { posted, failure }
      try {
        const held = { rootId, instrument, walletId }
        const isNew =
          action.kind === 'split' || action.kind === 'dividend'
            ? await postForHolder(deps, { ...held, action })
            : await postNaming(deps, { ...held, action })
        if (isNew) posted += 1
      } catch (error) {
        failure ??= new Error(`wallet ${walletId}: ${String(error)}`, { cause: error })
      }
    }
    const last = holders.at(-1)
    if (last === undefined) return { posted, failure }
    afterWallet = last
  }
}
