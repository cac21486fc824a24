import type { RateBook } from '#market-data'
import { currencyByCode } from '@kantor/contract/money'
import type { Queryable, Tx } from '#db'
import type { HoldingFill, Holdings } from './holdings.ts'
import { minorRate } from './lot-maths.ts'
import type { MinorRate } from './lot-maths.ts'
import { buy, emptyPosition, give, rebased, receive, sell } from './position.ts'
import type { Book } from './position.ts'
import { bookKey, readHeld, readOldestLots, writeBooks } from './position-store.ts'
import type { BookWanted } from './position-store.ts'

export interface PositionDeps {
  readonly rates: RateBook
  /** What each wallet's owner reckons in. Asked within the tx: a second connection could be waited for in a ring. */
  readonly baseCurrenciesOf: (
    walletIds: readonly bigint[],
    q: Queryable,
  ) => Promise<ReadonlyMap<bigint, string>>
}

/** Shares that one customer sends another; called in the tx of the posting, with the accounts locked. */
export interface SharesMoved {
  readonly fromWallet: bigint
  readonly toWallet: bigint
  readonly instrumentId: number
  /** Scale 9, > 0. */
  readonly quantity: bigint
  /** The transfer journal's key, in the scope of the payer. */
  readonly journalKey: string
}

/** What moves lots. See `Holdings` for when it is called and what it must not do. */
export interface PositionBooks extends Holdings {
  moveHoldings(tx: Tx, moved: SharesMoved): Promise<void>
}

export const ALL_SHARES = 10n ** 30n

export function createPositionBooks(deps: PositionDeps): PositionBooks {
  return {
    onFills: (tx, fills) => onFills(deps, tx, fills),
    moveHoldings: (tx, moved) => moveHoldings(deps, tx, moved),
  }
}

/** The rate of today between two base currencies: what older amounts are converted at when it was changed. */
export function rebaseRate(rates: RateBook, from: string | null, to: string): MinorRate | null {
  if (from === null) return null
  const known = rates.rate(from, to)
  const [fromId] = known.unknown ? [] : [currencyIdOf(from)]
  return known.unknown || fromId === undefined ? null : minorRate(fromId, to, known.rate)
}

async function onFills(deps: PositionDeps, tx: Tx, fills: readonly HoldingFill[]): Promise<void> {
  const groups = new Map<string, HoldingFill[]>()
  for (const fill of fills) {
    const key = bookKey(fill.walletId, fill.instrumentId)
    groups.set(key, [...(groups.get(key) ?? []), fill])
  }
  const wanted = [...groups.values()].map((group) => wantedFor(group))
  const currencies = new Map(fills.map(({ instrumentId, cash }) => [instrumentId, cash.assetId]))
  const newBases = new Map(
    fills.flatMap(({ walletId, instrumentId, baseRate }) =>
      baseRate === null ? [] : [[bookKey(walletId, instrumentId), baseRate.baseCurrency] as const],
    ),
  )
  const read = await readBooks(tx, wanted, currencies, newBases)
  const books = [...groups].map(([key, group]) =>
    group.reduce((book, fill) => withFill(deps, book, fill), bookOf(read, key)),
  )
  await writeBooks(tx, books, read)
}

function wantedFor(group: readonly HoldingFill[]): BookWanted {
  const [first] = group
  if (first === undefined) throw new Error('a group of no fills')
  const sold = group.reduce((sum, { side, quantity }) => (side === 'sell' ? sum + quantity : sum), 0n)
  return { walletId: first.walletId, instrumentId: first.instrumentId, shares: sold }
}

/**
 * The books with as many of their oldest lots as are wanted.
 * @param newBases by `bookKey`: where it differs from the position's, every open lot is read, to be converted
 */
export async function readBooks(
  tx: Tx,
  wanted: readonly BookWanted[],
  currencies: ReadonlyMap<number, number>,
  newBases: ReadonlyMap<string, string>,
): Promise<Map<string, Book>> {
  const held = await readHeld(tx, wanted)
  const withLots = wanted.map((want) => {
    const key = bookKey(want.walletId, want.instrumentId)
    const base = held.get(key)?.baseCurrency ?? null
    const changes = base !== null && newBases.has(key) && newBases.get(key) !== base
    return changes ? { ...want, shares: ALL_SHARES } : want
  })
  const lots = await readOldestLots(
    tx,
    withLots.filter(({ shares }) => shares > 0n),
  )
  return new Map(
    wanted.map(({ walletId, instrumentId }) => {
      const key = bookKey(walletId, instrumentId)
      const currencyId = currencies.get(instrumentId)
      if (currencyId === undefined) throw new Error(`instrument ${instrumentId} has no currency`)
      const position = held.get(key) ?? emptyPosition(walletId, instrumentId, currencyId)
      return [key, { position, lots: lots.get(key) ?? [], closed: [], disposals: [] }]
    }),
  )
}

export function bookOf(books: ReadonlyMap<string, Book>, key: string): Book {
  const book = books.get(key)
  if (book === undefined) throw new Error(`the book ${key} was not read`)
  return book
}

function withFill(deps: PositionDeps, read: Book, fill: HoldingFill): Book {
  const { side, quantity, cash, fee, at, journalKey, baseRate } = fill
  const book = baseRate === null ? read : inBaseCurrency(deps, read, baseRate.baseCurrency)
  const kept = { quantity, feeMinor: fee.minor, at, journalKey, rate: baseRate }
  return side === 'buy'
    ? buy(book, { ...kept, costMinor: cash.minor })
    : sell(book, { ...kept, cashMinor: cash.minor })
}

export function inBaseCurrency(deps: Pick<PositionDeps, 'rates'>, book: Book, baseCurrency: string): Book {
  return rebased(book, baseCurrency, rebaseRate(deps.rates, book.position.baseCurrency, baseCurrency))
}

function currencyIdOf(code: string): number | undefined {
  return currencyByCode(code)?.id
}

async function moveHoldings(deps: PositionDeps, tx: Tx, moved: SharesMoved): Promise<void> {
  const { fromWallet, toWallet, instrumentId, quantity, journalKey } = moved
  const [fromKey, toKey] = [bookKey(fromWallet, instrumentId), bookKey(toWallet, instrumentId)]
  const held = await readHeld(tx, [{ walletId: fromWallet, instrumentId }])
  const giver = held.get(fromKey)
  if (giver === undefined) throw new Error(`wallet ${fromWallet} has shares without lots`)
  const bases = await deps.baseCurrenciesOf([toWallet], tx)
  const receiverBase = bases.get(toWallet)
  const read = await readBooks(
    tx,
    [
      { walletId: fromWallet, instrumentId, shares: quantity },
      { walletId: toWallet, instrumentId, shares: 0n },
    ],
    new Map([[instrumentId, giver.currencyId]]),
    new Map(receiverBase === undefined ? [] : [[toKey, receiverBase]]),
  )
  const given = give(bookOf(read, fromKey), quantity)
  const opened = bookOf(read, toKey)
  const receiver = receiverBase === undefined ? opened : inBaseCurrency(deps, opened, receiverBase)
  const { baseCurrency } = receiver.position
  const rate = baseCurrency === null ? null : rebaseRate(deps.rates, given.parcel.baseCurrency, baseCurrency)
  await writeBooks(tx, [given.book, receive(receiver, given.parcel, journalKey, rate)], read)
}
