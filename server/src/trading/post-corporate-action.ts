import { formatAmount, INSTRUMENT_SCALE, rateOf } from '@kantor/contract/money'
import type { Tx } from '#db'
import { accountId, PURPOSE } from '#ledger'
import type { JsonValue, LockedAccounts, Posting } from '#ledger'
import { duesOf, requireCurrency, splitRatio } from './corporate-action-dues.ts'
import type { Due, Dues, DueTerms, GivingAction } from './corporate-action-dues.ts'
import { insertGiven, readGiven, reopenActions } from './corporate-action-store.ts'
import type { GivenBefore } from './corporate-action-store.ts'
import { readMovedSince } from './entitlement.ts'
import { cancelOpenOrders } from './expire-orders.ts'
import { requirePosted } from './fill-orders.ts'
import { actionCommand, actionDetail, actionKey, houseAccount, shareAccounts } from './holder-action.ts'
import type { CorporateActionDeps, HolderAction } from './holder-action.ts'
import { moveBook } from './move-book.ts'
import { newYorkDay, newYorkDayStart } from './new-york-day.ts'

type Held = HolderAction<GivingAction>

/** One holder's part of an action: what was entitled, what that comes to, and what of it is to be posted now. */
interface Part {
  /** From 1: the journals of this action for this holder. */
  readonly number: number
  /** What the ledger has of the shares now. */
  readonly held: bigint
  readonly entitled: bigint
  readonly dues: Dues
  /** By asset, without those of which nothing is due. */
  readonly moves: ReadonlyMap<number, Move>
}

interface Move extends Due {
  /** What a correction could not take back, since it is no longer there. */
  readonly missing: bigint
}

/**
 * Gives a holder what an action comes to, less what its chain of corrections has given before: so it may run again
 * at any time, and gives the difference when trades of before its day came in since.
 * @returns whether something was posted
 */
export async function postForHolder(deps: CorporateActionDeps, held: Held): Promise<boolean> {
  for (let tried = 0; tried < TRIES_MAX; tried += 1) {
    const outcome = await deps.db.transaction((tx) => postPart(deps, tx, held))
    if (outcome !== 'offered') return outcome === 'posted'
    // Given since the split's orders were ended: of old shares all the same.
    await cancelOpenOrders(deps, { instrumentId: held.instrument.id, walletId: held.walletId }, 'split')
  }
  throw new Error('shares that a split takes are offered for sale again and again')
}

/** Who offers them faster than that is left for the next run. */
const TRIES_MAX = 5

/** `offered`: shares that are to be taken are set aside for a sale. */
type PartOutcome = 'posted' | 'nothing' | 'offered'

async function postPart(deps: CorporateActionDeps, tx: Tx, held: Held): Promise<PartOutcome> {
  const terms = termsOf(deps, held)
  const assetIds = new Set([
    ...assetsOf(held, terms),
    ...(await readGiven(tx, held.rootId, held.walletId)).map(({ assetId }) => assetId),
  ])
  const { available, reserved, house } = shareAccounts(held)
  const opens = [...assetIds].flatMap((assetId) => Object.values(moneyAccounts(held, assetId)))
  const locked = await deps.ledger.lockAccounts(tx, [available, reserved, house], opens)
  const part = await partOf(tx, held, terms, locked)
  const lacks = (part.moves.get(held.instrument.id)?.missing ?? 0n) > 0n
  if (lacks && (locked.balances.get(reserved) ?? 0n) > 0n) return 'offered'
  const isNothing = [...part.moves.values()].every(({ amount, withheld }) => amount === 0n && withheld === 0n)
  if (isNothing) return 'nothing'
  const { action, rootId, walletId } = held
  const { number, entitled } = part
  const given = { rootId, actionId: action.id, walletId, number, entitled, at: deps.clock() }
  await insertGiven(
    tx,
    [...part.moves].map(([assetId, { amount, withheld }]) => ({ ...given, assetId, amount, withheld })),
  )
  await moveBook(deps, tx, held, {
    moves: part.moves,
    heldShares: part.held,
    journalKey: actionKey(action, number),
  })
  // Dividends of later days are by the shares that this makes.
  if (action.kind === 'split')
    await reopenActions(tx, held.instrument.id, action.exDate, newYorkDay(deps.clock()))
  const postings = [...part.moves].flatMap(([assetId, move]) => postingsOf(held, assetId, move))
  const command = { ...actionCommand(held, number), postings, detail: detailOf(held, part, terms) }
  requirePosted(await locked.post([command]))
  return 'posted'
}

/** What the action may move: of its own, and of what less than a billionth of a share is paid in. */
function assetsOf({ action, instrument }: Held, { priceAfter }: DueTerms): number[] {
  if (action.kind === 'dividend') return [requireCurrency(action.currency).id]
  return priceAfter === null ? [instrument.id] : [instrument.id, priceAfter.currencyId]
}

function termsOf(deps: CorporateActionDeps, { action, instrument }: Held): DueTerms {
  const { withholdingBps } = deps
  const terms = { instrumentId: instrument.id, withholdingBps, priceAfter: null }
  const known = deps.prices.price(instrument.id)
  if (action.kind === 'dividend' || known.unknown) return terms
  const { id: currencyId, scale, code } = requireCurrency(instrument.currency)
  if (known.asOf >= newYorkDayStart(action.exDate))
    return { ...terms, priceAfter: { rate: known.lastQuoted, currencyId, scale, code } }
  const { numerator, denominator } = splitRatio(action)
  const rate = rateOf(known.lastQuoted.numerator * denominator, known.lastQuoted.denominator * numerator)
  return { ...terms, priceAfter: { rate, currencyId, scale, code } }
}

const moneyAccounts = ({ walletId }: Held, assetId: number) => ({
  holder: accountId({ walletId, assetId, purpose: PURPOSE.available }),
  house: houseAccount(assetId, 'brokerage'),
  tax: houseAccount(assetId, 'withholding'),
})

/** By what was held when the ex-date began, by the day of each trade, whatever was sold since. */
async function partOf(tx: Tx, held: Held, terms: DueTerms, locked: LockedAccounts): Promise<Part> {
  const { action, rootId, walletId, instrument } = held
  const { available, reserved } = shareAccounts(held)
  const accounts = [available, reserved]
  const given = await readGiven(tx, rootId, walletId)
  const now = accounts.reduce((sum, id) => sum + (locked.balances.get(id) ?? 0n), 0n)
  const since = newYorkDayStart(action.exDate)
  // What the chain itself gave does not entitle; of a later day, it is not among what was there.
  const own = given.filter(({ assetId, exOn }) => assetId === instrument.id && exOn < action.exDate)
  const ownBefore = own.reduce((sum, { amount }) => sum + amount, 0n)
  const entitled = now - (await readMovedSince(tx, { walletId, accounts, since })) - ownBefore
  const dues = duesOf(action, entitled, terms)
  const number =
    1 + Math.max(0, ...given.filter((one) => one.actionId === action.id).map((one) => one.number))
  return { number, held: now, entitled, dues, moves: movesOf(held, dues, given, locked) }
}

function movesOf(
  held: Held,
  dues: Dues,
  given: readonly GivenBefore[],
  locked: LockedAccounts,
): Map<number, Move> {
  const moves = new Map<number, Move>()
  for (const assetId of new Set([...dues.byAsset.keys(), ...given.map((one) => one.assetId)])) {
    const before = given.filter((one) => one.assetId === assetId)
    const due = dues.byAsset.get(assetId) ?? { amount: 0n, withheld: 0n }
    const amount = before.reduce((left, one) => left - one.amount, due.amount)
    const withheld = before.reduce((left, one) => left - one.withheld, due.withheld)
    const balance = locked.balances.get(moneyAccounts(held, assetId).holder) ?? 0n
    // Never below zero: what a correction takes may have been spent.
    const missing = amount - withheld < -balance ? withheld - amount - balance : 0n
    if (amount !== 0n || withheld !== 0n) moves.set(assetId, { amount: amount + missing, withheld, missing })
  }
  return moves
}

/** What comes to the holder goes before what leaves them, and tax is a posting of its own. */
function postingsOf(held: Held, assetId: number, { amount, withheld }: Move): Posting[] {
  const { holder, house, tax } = moneyAccounts(held, assetId)
  const legs = [leg(house, holder, amount), leg(holder, tax, withheld)].flat()
  return legs.toSorted((one, other) => Number(other.to === holder) - Number(one.to === holder))
}

function leg(from: bigint, to: bigint, amount: bigint): Posting[] {
  if (amount === 0n) return []
  return amount > 0n ? [{ from, to, amount }] : [{ from: to, to: from, amount: -amount }]
}

function detailOf(held: Held, part: Part, terms: DueTerms): Record<string, JsonValue> {
  const { action } = held
  const missing = [...part.moves.values()].reduce((sum, one) => sum + one.missing, 0n)
  const said = {
    ...actionDetail(held),
    quantity: formatAmount(part.entitled, INSTRUMENT_SCALE),
    ...(part.number === 1 ? {} : { again: part.number }),
    ...(missing === 0n ? {} : { missing: `${missing}` }),
  }
  if (action.kind === 'split')
    return { ...said, from: action.from, to: action.to, ...dustDetail(part, terms) }
  const { currency, amountPerShare: perShare, payDate } = action
  const taxed = terms.withholdingBps === 0 ? {} : withholdingDetail(part, action, terms)
  return { ...said, perShare, currency, payDate, ...taxed }
}

function withholdingDetail(
  { moves }: Part,
  { currency }: Extract<GivingAction, { kind: 'dividend' }>,
  { withholdingBps }: DueTerms,
): Record<string, JsonValue> {
  const { id, scale } = requireCurrency(currency)
  const withheld = moves.get(id)?.withheld ?? 0n
  return { withholdingBps, withheld: formatAmount(withheld, scale) }
}

/** The part of a billionth of a share that a split left, and what was paid for it. */
function dustDetail({ dues: { dust } }: Part, { priceAfter }: DueTerms): Record<string, JsonValue> {
  if (dust === null) return {}
  const fraction = { numerator: `${dust.numerator}`, denominator: `${dust.denominator}` }
  if (priceAfter === null) return { fraction }
  const { scale, code } = priceAfter
  return { fraction, fractionPaid: formatAmount(dust.paidMinor, scale), fractionCurrency: code }
}
