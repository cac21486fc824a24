import { hash } from 'node:crypto'
import type { Database } from '#db'
import { accountId, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import type { JsonValue, Ledger, PostCommand } from '#ledger'
import type { CorporateAction, Instrument, InstrumentBook, PriceBook } from '#market-data'
import type { AssetBook } from '#wallets'
import { exOn } from './corporate-action-store.ts'
import { newYorkDayStart } from './new-york-day.ts'
import type { PositionDeps } from './position-books.ts'

export interface CorporateActionDeps extends PositionDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly instruments: InstrumentBook
  readonly prices: Pick<PriceBook, 'price'>
  readonly clock: () => Date
  /** Whose actions count: the configured provider. */
  readonly priceSource: string
  /** Of dividends, what is kept back as tax. */
  readonly withholdingBps: number
  readonly log: { warn(fields: object, message: string): void }
}

/** One action for one holder. */
export interface HolderAction<Kind extends CorporateAction = CorporateAction> {
  readonly action: Kind
  readonly rootId: bigint
  readonly instrument: Instrument
  readonly walletId: bigint
}

/** The holder's shares: those that an open order has set aside are theirs too. */
export function shareAccounts({ instrument, walletId }: HolderAction): {
  readonly available: bigint
  readonly reserved: bigint
  readonly house: bigint
} {
  const assetId = instrument.id
  return {
    available: accountId({ walletId, assetId, purpose: PURPOSE.available }),
    reserved: accountId({ walletId, assetId, purpose: PURPOSE.reserved }),
    house: houseAccount(assetId, 'brokerage'),
  }
}

export function houseAccount(assetId: number, purpose: 'brokerage' | 'withholding'): bigint {
  return accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE[purpose] })
}

/**
 * The journal's key in the holder's scope: a key of the system's own, since clients' have no blanks.
 * @param number from 1; above: the action is posted again, for trades that came in late
 */
export function actionKey({ id }: CorporateAction, number: number): string {
  return number === 1 ? `action ${id}` : `action ${id} again ${number}`
}

/** What every journal of an action has: it is posted once for a holder, whoever else tries. */
export function actionCommand(
  { action, walletId }: HolderAction,
  number: number,
): Pick<PostCommand, 'kind' | 'scope' | 'key' | 'requestHash' | 'consumes' | 'effectiveAt'> {
  const key = actionKey(action, number)
  const single = `action:${action.id}:${walletId}`
  const day = action.kind === 'dividend' ? (action.payDate ?? action.exDate) : exOn(action)
  return {
    kind: action.kind,
    scope: walletId,
    key,
    requestHash: hash('sha256', key, 'buffer').subarray(0, 16),
    consumes: number === 1 ? single : `${single}:${number}`,
    effectiveAt: newYorkDayStart(day),
  }
}

/** What every journal of an action says. README.md lists the rest. */
export function actionDetail({ action, instrument }: HolderAction): Record<string, JsonValue> {
  return {
    actionId: `${action.id}`,
    ...(action.corrects === null ? {} : { corrects: `${action.corrects}` }),
    instrument: instrument.code,
    exDate: exOn(action),
    source: action.source,
  }
}
