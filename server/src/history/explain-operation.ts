import type { OperationInFull } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Queryable } from '#db'
import {
  accountParts,
  assetIdOf,
  CUSTOMER_WALLET_ID_MIN,
  journal as readJournal,
  PURPOSE,
  walletIdOf,
  type JournalRef,
  type Posting,
} from '#ledger'
import type { HistoryDeps } from './deps.ts'
import { exactDecimal } from './exact-decimal.ts'
import { orderOfJournal } from './explain-order.ts'
import { touchesWallet } from './moved-amounts.ts'
import { fractionOf, textOf } from './journal-detail.ts'
import { moneyOf, operationOf, readSurroundings, type Surroundings } from './present-operation.ts'

/**
 * One operation with everything that explains it.
 * @throws Problem not_found, also for another wallet's operation
 */
export async function explainOperation(
  deps: HistoryDeps,
  walletId: bigint,
  id: string,
): Promise<OperationInFull> {
  const journal = await readJournal(deps.db, id.toLowerCase())
  if (journal === null || !touchesWallet(journal.postings, walletId)) throw new Problem('not_found')
  const known = await readSurroundings(deps, [journal], otherCustomers(journal, walletId))
  const { detail } = journal
  const marginBps = detail?.['marginBps']
  return {
    ...operationOf(journal, walletId, known),
    postings: shownPostings(journal, walletId, known),
    ...optional('mid', textOf(detail?.['mid'])),
    ...(typeof marginBps === 'number' ? { marginBps } : {}),
    ...optional('margin', marginOf(journal, walletId, known)),
    ...optional('rateSource', textOf(detail?.['rateSource'])),
    ...optional('rateAsOf', textOf(detail?.['rateAsOf'])),
    ...optional('rounding', roundingOf(journal, walletId, known)),
    ...optional('order', orderOfJournal(journal)),
    block: await readBlock(deps.db, journal.blockHeight),
  }
}

function optional<Name extends string, Value>(name: Name, value: Value | null): Partial<Record<Name, Value>> {
  return value === null ? {} : ({ [name]: value } as Record<Name, Value>)
}

function otherCustomers({ postings }: JournalRef, walletId: bigint): Set<bigint> {
  const wallets = postings.flatMap(({ from, to }) => [walletIdOf(from), walletIdOf(to)])
  return new Set(wallets.filter((id) => id !== walletId && id >= CUSTOMER_WALLET_ID_MIN))
}

/**
 * The postings that concern the owner: their own, the house's within itself, and, where the operation has one
 * other customer, what the house gave to or took from them. What passes between strangers is not shown.
 */
function shownPostings(
  journal: JournalRef,
  walletId: bigint,
  known: Surroundings,
): OperationInFull['postings'] {
  const others = otherCustomers(journal, walletId)
  const concerns = (posting: Posting): boolean =>
    others.size <= 1 ||
    touchesWallet([posting], walletId) ||
    (!others.has(walletIdOf(posting.from)) && !others.has(walletIdOf(posting.to)))
  return journal.postings.filter(concerns).map(({ from, to, amount }) => ({
    from: endOf(from, walletId, known),
    to: endOf(to, walletId, known),
    ...moneyOf(known, assetIdOf(from), amount),
  }))
}

const HOUSE_PURPOSES: ReadonlyMap<number, string> = new Map(
  (['funding', 'conversion', 'fees', 'brokerage', 'rounding', 'withholding'] as const).map((name) => [
    PURPOSE[name],
    name,
  ]),
)

/** `available`, `reserved` or `pocket:3` of one's own; `@handle`; `house:conversion`. */
function endOf(account: bigint, walletId: bigint, { people }: Surroundings): string {
  const { walletId: owner, purpose } = accountParts(account)
  if (owner === walletId) {
    if (purpose === PURPOSE.available) return 'available'
    return purpose === PURPOSE.reserved ? 'reserved' : `pocket:${purpose - PURPOSE.pocketFirst}`
  }
  if (owner < CUSTOMER_WALLET_ID_MIN) return `house:${HOUSE_PURPOSES.get(purpose) ?? 'other'}`
  const person = people.get(owner)
  return person === undefined ? 'customer' : `@${person.handle}`
}

/** Received at mid less received at the rate, before rounding: what the margin cost, rounded down. */
function marginOf(
  journal: JournalRef,
  walletId: bigint,
  known: Surroundings,
): OperationInFull['margin'] | null {
  const marginBps = journal.detail?.['marginBps']
  const mid = fractionOf(journal.detail?.['midRatio'])
  const converts = journal.kind === 'conversion' || journal.kind === 'trade'
  const sides = converts ? sidesOf(journal.postings, walletId) : null
  if (typeof marginBps !== 'number' || mid === null || sides === null) return null
  const scaleOf = (posting: Posting): number => known.assets.get(assetIdOf(posting.from))?.scale ?? 0
  const paidScale = 10n ** BigInt(scaleOf(sides.paid))
  const receivedScale = 10n ** BigInt(scaleOf(sides.received))
  const numerator = sides.paid.amount * mid.numerator * receivedScale * BigInt(marginBps)
  const margin = numerator / (mid.denominator * paidScale * 10_000n)
  return moneyOf(known, assetIdOf(sides.received.from), margin)
}

/** What a conversion exchanged: the net amount that went to the house's position, and what came out of it. */
function sidesOf(
  postings: readonly Posting[],
  walletId: bigint,
): { paid: Posting; received: Posting } | null {
  const isPosition = (account: bigint): boolean => accountParts(account).purpose === PURPOSE.conversion
  const paid = postings.find(({ from, to }) => walletIdOf(from) === walletId && isPosition(to))
  const received = postings.find(({ from, to }) => walletIdOf(to) === walletId && isPosition(from))
  return paid === undefined || received === undefined ? null : { paid, received }
}

/** What rounding left with the house, in the asset received. */
function roundingOf(
  journal: JournalRef,
  walletId: bigint,
  known: Surroundings,
): OperationInFull['rounding'] | null {
  const kept = fractionOf(journal.detail?.['rounding'])
  const sides = sidesOf(journal.postings, walletId)
  const asset = sides === null ? undefined : known.assets.get(assetIdOf(sides.received.from))
  if (kept === null || asset === undefined) return null
  const denominator = kept.denominator * 10n ** BigInt(asset.scale)
  return { asset: asset.code, amount: exactDecimal(kept.numerator, denominator) }
}

async function readBlock(q: Queryable, height: bigint): Promise<{ height: string; hash: string }> {
  const { rows } = await q.query<{ hash: string }>(
    `select encode(hash, 'hex') as hash from ledger.blocks where height = $1`,
    [height],
  )
  const [block] = rows
  if (block === undefined) throw new Error(`journal of block ${height}, which does not exist`)
  return { height: height.toString(), hash: block.hash }
}
