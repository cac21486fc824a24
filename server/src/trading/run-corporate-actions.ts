import { corporateActions } from '#market-data'
import { closeAction, closeSuperseded, closeUnheld } from './corporate-action-store.ts'
import { insertActions, newestKnownAction, readDue, readHolders } from './corporate-action-store.ts'
import type { DueAction } from './corporate-action-store.ts'
import { cancelOpenOrders } from './expire-orders.ts'
import { newYorkDay } from './new-york-day.ts'
import { postForHolder } from './post-corporate-action.ts'
import type { CorporateActionDeps, PostedAction } from './post-corporate-action.ts'

const ACTIONS_PER_READ = 1_000
const HOLDERS_PER_READ = 200

/**
 * Takes up what became known of companies and posts what is due, holder by holder, each in a tx of its own: where a
 * run is broken off, the next goes on. Several may run at once. @returns how many journals were posted
 */
export async function runCorporateActions(
  deps: CorporateActionDeps,
  signal?: AbortSignal,
): Promise<{ posted: number }> {
  await takeUpActions(deps)
  const today = newYorkDay(deps.clock())
  await closeSuperseded(deps.db, deps.clock())
  await closeUnheld(deps.db, today, deps.clock())
  let posted = 0
  for (;;) {
    const [due] = await readDue(deps.db, today, 1)
    if (due === undefined) return { posted }
    posted += await runAction(deps, due, signal)
    // Broken off: the action is not done, and the next run goes on with it.
    if (signal?.aborted === true) return { posted }
    await closeAction(deps.db, due.actionId, deps.clock())
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

async function runAction(deps: CorporateActionDeps, due: DueAction, signal?: AbortSignal): Promise<number> {
  const [action] = await corporateActions(deps.db, {
    sinceId: due.actionId - 1n,
    provider: deps.priceSource,
    limit: 1,
  })
  // Of a provider that is no longer configured: its prices are not dealt at either.
  if (action === undefined || action.id !== due.actionId) return 0
  if (action.kind === 'rename') return 0
  const { instrumentId } = due
  if (action.kind === 'delisting') {
    await cancelOpenOrders(deps, { instrumentId, reason: 'delisted' })
    return 0
  }
  // An order's price and quantity are in old shares.
  if (action.kind === 'split') await cancelOpenOrders(deps, { instrumentId, reason: 'split' })
  return postForAll(deps, due, action, signal)
}

async function postForAll(
  deps: CorporateActionDeps,
  due: DueAction,
  action: PostedAction,
  signal?: AbortSignal,
): Promise<number> {
  let [posted, afterWallet] = [0, 0n]
  for (;;) {
    const holders = await readHolders(deps.db, due.instrumentId, afterWallet, HOLDERS_PER_READ)
    for (const walletId of holders) {
      if (signal?.aborted === true) return posted
      if (await postForHolder(deps, due, action, walletId)) posted += 1
    }
    const last = holders.at(-1)
    if (last === undefined) return posted
    afterWallet = last
  }
}
