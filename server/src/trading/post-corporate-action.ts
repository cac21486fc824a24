import { hash } from 'node:crypto'
import {
  currencyByCode,
  formatAmount,
  INSTRUMENT_SCALE,
  parseRate,
  rateOf,
  worthDown,
} from '@kantor/contract/money'
import type { Rate } from '@kantor/contract/money'
import type { Database, Tx } from '#db'
import { accountId, balanceAt, HOUSE_WALLET_ID, PURPOSE } from '#ledger'
import type { JsonValue, Ledger, PostCommand } from '#ledger'
import type { CorporateAction, Instrument, InstrumentBook } from '#market-data'
import type { AssetBook } from '#wallets'
import { insertGiven, readGiven, readLateSplitShares } from './corporate-action-store.ts'
import type { DueAction } from './corporate-action-store.ts'
import { requirePosted } from './fill-orders.ts'
import { newYorkDayStart } from './new-york-day.ts'
import { multiply, receiveDividend } from './position.ts'
import type { Book } from './position.ts'
import { ALL_SHARES, bookOf, inBaseCurrency, readBooks } from './position-books.ts'
import type { PositionDeps } from './position-books.ts'
import { bookKey, writeBooks } from './position-store.ts'

export interface CorporateActionDeps extends PositionDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly instruments: InstrumentBook
  readonly clock: () => Date
  /** Whose actions count: the configured provider. */
  readonly priceSource: string
}

/** An action that gives or takes: the others post nothing. */
export type PostedAction = Extract<CorporateAction, { kind: 'split' | 'dividend' }>

interface HolderAction {
  readonly action: PostedAction
  readonly rootId: bigint
  readonly instrument: Instrument
  readonly walletId: bigint
}

/** One holder's part of an action: what was entitled, what that comes to, and what of it is to be posted now. */
interface Part {
  readonly entitled: bigint
  /** Shares or minor units; below zero: taken back. */
  readonly amount: bigint
  /** What a correction could not take back, since it is no longer there. */
  readonly missing: bigint
}

const accountsFor = ({ action, instrument, walletId }: HolderAction) => {
  const assetId = action.kind === 'split' ? instrument.id : currencyIdOf(action.currency)
  const own = (purpose: number) => accountId({ walletId, assetId: instrument.id, purpose })
  return {
    shares: [own(PURPOSE.available), own(PURPOSE.reserved)],
    holder: accountId({ walletId, assetId, purpose: PURPOSE.available }),
    house: accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE.brokerage }),
  }
}

/** Idempotent: a holder has one row for an action, written with its journal. @returns whether something was posted */
export async function postForHolder(
  deps: CorporateActionDeps,
  due: DueAction,
  action: PostedAction,
  walletId: bigint,
): Promise<boolean> {
  const instrument = await deps.instruments.byId(due.instrumentId)
  if (instrument === null) throw new Error(`instrument ${due.instrumentId} has actions and is unknown`)
  const held: HolderAction = { action, rootId: due.rootId, instrument, walletId }
  return deps.db.transaction((tx) => postPart(deps, tx, held))
}

async function postPart(deps: CorporateActionDeps, tx: Tx, held: HolderAction): Promise<boolean> {
  const accounts = accountsFor(held)
  const locked = await deps.ledger.lockAccounts(tx, accounts.shares, [accounts.holder, accounts.house])
  const part = await partOf(tx, held, locked.balances.get(accounts.holder) ?? 0n)
  if (part === null || part.amount === 0n) return false
  const at = deps.clock()
  const key = `action ${held.action.id}`
  await insertGiven(tx, {
    ...held,
    actionId: held.action.id,
    entitled: part.entitled,
    amount: part.amount,
    at,
  })
  await moveBook(deps, tx, held, part.amount, key)
  requirePosted(await locked.post([commandOf(held, part, key)]))
  return true
}

/**
 * By what was held when the ex-date began, whatever was sold since. A correction gives the difference to what its
 * chain gave before. Null: this action was posted already.
 */
async function partOf(tx: Tx, held: HolderAction, holderBalance: bigint): Promise<Part | null> {
  const { action, rootId, instrument, walletId } = held
  const given = await readGiven(tx, rootId, walletId)
  if (given.some(({ actionId }) => actionId === action.id)) return null
  const exStart = newYorkDayStart(action.exDate)
  const before = new Date(exStart.getTime() - 1)
  const [available = 0n, reserved = 0n] = await Promise.all(
    accountsFor(held).shares.map((id) => balanceAt(tx, id, before)),
  )
  const ownBefore = given.filter(({ at }) => action.kind === 'split' && at < exStart)
  const late =
    action.kind === 'split'
      ? 0n
      : await readLateSplitShares(tx, { walletId, instrumentId: instrument.id }, action.exDate, exStart)
  const entitled = available + reserved + late - ownBefore.reduce((sum, { amount }) => sum + amount, 0n)
  const wanted = dueFor(action, entitled) - given.reduce((sum, { amount }) => sum + amount, 0n)
  // Never below zero: what a correction takes may have been spent.
  const amount = wanted < -holderBalance ? -holderBalance : wanted
  return { entitled, amount, missing: amount - wanted }
}

/** Shares that a split adds, or money that a dividend is, rounded down: less than a unit stays with the house. */
function dueFor(action: PostedAction, entitled: bigint): bigint {
  if (action.kind === 'dividend') {
    const scale = currencyByCode(action.currency)?.scale ?? 0
    return worthDown(entitled, INSTRUMENT_SCALE, scale, exact(action.amountPerShare))
  }
  const [to, from] = [exact(action.to), exact(action.from)]
  const ratio = rateOf(to.numerator * from.denominator, to.denominator * from.numerator)
  return worthDown(entitled, INSTRUMENT_SCALE, INSTRUMENT_SCALE, ratio) - entitled
}

function exact(text: string): Rate {
  const read = parseRate(text)
  if (!read.ok) throw new Error('a stored corporate action cannot be read')
  return read.rate
}

function currencyIdOf(code: string): number {
  const currency = currencyByCode(code)
  if (currency === undefined) throw new Error(`a dividend in ${code}, which is no currency`)
  return currency.id
}

async function moveBook(
  deps: CorporateActionDeps,
  tx: Tx,
  { action, instrument, walletId }: HolderAction,
  amount: bigint,
  journalKey: string,
): Promise<void> {
  const key = bookKey(walletId, instrument.id)
  const base = (await deps.baseCurrenciesOf([walletId], tx)).get(walletId)
  const read = await readBooks(
    tx,
    [{ walletId, instrumentId: instrument.id, shares: action.kind === 'split' ? ALL_SHARES : 0n }],
    new Map([[instrument.id, currencyIdOf(instrument.currency)]]),
    new Map(base === undefined ? [] : [[key, base]]),
  )
  const book = bookOf(read, key)
  if (action.kind === 'split') {
    const split = { before: newYorkDayStart(action.exDate), at: deps.clock(), journalKey }
    return writeBooks(tx, [multiply(book, amount, split)], read)
  }
  const inBase = base === undefined ? book : inBaseCurrency(deps, book, base)
  await writeBooks(tx, [withDividend(deps, inBase, action.currency, amount)], read)
}

/** A dividend in another currency than the instrument's is counted in the instrument's, at the rate of the day. */
function withDividend(deps: CorporateActionDeps, book: Book, currency: string, minor: bigint): Book {
  const { baseCurrency, currencyId } = book.position
  const known = baseCurrency === null ? null : deps.rates.rate(currency, baseCurrency)
  const rate =
    baseCurrency === null || known === null || known.unknown
      ? null
      : { baseCurrency, rate: known.rate, snapshotIds: known.legs.map(({ snapshotId }) => `${snapshotId}`) }
  if (currencyIdOf(currency) !== currencyId) throw new Error('a dividend in another currency than its share')
  return receiveDividend(book, minor, rate)
}

function commandOf(held: HolderAction, part: Part, key: string): PostCommand {
  const { action, walletId } = held
  const { holder, house } = accountsFor(held)
  const [from, to] = part.amount > 0n ? [house, holder] : [holder, house]
  const amount = part.amount > 0n ? part.amount : -part.amount
  return {
    kind: action.kind,
    scope: walletId,
    key,
    requestHash: hash('sha256', key, 'buffer').subarray(0, 16),
    postings: [{ from, to, amount }],
    opens: [from, to],
    consumes: `action:${action.id}:${walletId}`,
    effectiveAt: newYorkDayStart(action.kind === 'split' ? action.exDate : (action.payDate ?? action.exDate)),
    detail: detailOf(held, part),
  }
}

function detailOf({ action, instrument }: HolderAction, part: Part): Record<string, JsonValue> {
  const missing = part.missing === 0n ? {} : { missing: `${part.missing}` }
  const said = {
    actionId: `${action.id}`,
    ...(action.corrects === null ? {} : { corrects: `${action.corrects}` }),
    instrument: instrument.code,
    exDate: action.exDate,
    quantity: formatAmount(part.entitled, INSTRUMENT_SCALE),
    source: action.source,
    ...missing,
  }
  if (action.kind === 'split') return { ...said, from: action.from, to: action.to }
  return { ...said, perShare: action.amountPerShare, currency: action.currency, payDate: action.payDate }
}
