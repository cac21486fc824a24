import { formatAmount, INSTRUMENT_SCALE } from '@kantor/contract/money'
import type { Tx } from '#db'
import type { JsonValue } from '#ledger'
import type { CorporateAction } from '#market-data'
import { insertGiven, readGiven } from './corporate-action-store.ts'
import { requirePosted } from './fill-orders.ts'
import { actionCommand, actionDetail, shareAccounts } from './holder-action.ts'
import type { CorporateActionDeps, HolderAction } from './holder-action.ts'

/** What changes a share's name or ends its trading, and nobody's holding. */
export type NamingAction = Extract<CorporateAction, { kind: 'rename' | 'delisting' }>

/**
 * Writes it into a holder's history, as brokers show it: all their shares go to the house's brokerage account and come
 * back, each kind of account for itself, so that open orders keep what they set aside.
 * @returns whether something was posted: not to who holds none, nor twice
 */
export async function postNaming(
  deps: CorporateActionDeps,
  held: HolderAction<NamingAction>,
): Promise<boolean> {
  return deps.db.transaction((tx) => post(deps, tx, held))
}

async function post(deps: CorporateActionDeps, tx: Tx, held: HolderAction<NamingAction>): Promise<boolean> {
  const { action, rootId, instrument, walletId } = held
  const { available, reserved, house } = shareAccounts(held)
  const locked = await deps.ledger.lockAccounts(tx, [available, reserved], [house])
  const given = await readGiven(tx, rootId, walletId)
  const holdings = [available, reserved].flatMap((id) => {
    const amount = locked.balances.get(id) ?? 0n
    return amount > 0n ? [{ id, amount }] : []
  })
  if (holdings.length === 0 || given.some(({ actionId }) => actionId === action.id)) return false
  const entitled = holdings.reduce((sum, { amount }) => sum + amount, 0n)
  const row = { rootId, actionId: action.id, walletId, number: 1, assetId: instrument.id, entitled }
  await insertGiven(tx, [{ ...row, amount: 0n, withheld: 0n, at: deps.clock() }])
  const postings = holdings.flatMap(({ id, amount }) => [
    { from: id, to: house, amount },
    { from: house, to: id, amount },
  ])
  const quantity = formatAmount(entitled, INSTRUMENT_SCALE)
  const detail = { ...actionDetail(held), quantity, ...namingDetail(held) }
  requirePosted(await locked.post([{ ...actionCommand(held, 1), postings, detail }]))
  return true
}

function namingDetail({ action, instrument }: HolderAction<NamingAction>): Record<string, JsonValue> {
  if (action.kind === 'rename')
    return {
      tickerTo: action.newTicker,
      ...(action.oldTicker === null ? {} : { tickerFrom: action.oldTicker }),
    }
  const { lastPrice } = action
  return lastPrice === null ? {} : { lastPrice, currency: instrument.currency }
}
