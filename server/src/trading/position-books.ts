import type { RateBook } from '#market-data'
import { Problem } from '@kantor/contract/errors'
import { currencyByCode } from '@kantor/contract/money'
import type { Queryable, Tx } from '#db'
import { isSplitUnderWay } from './corporate-action-store.ts'
import type { HoldingFill, Holdings, HoldingWanted, OpenHoldings } from './holdings.ts'
import { minorRate } from './lot-maths.ts'
import type { MinorRate } from './lot-maths.ts'
import { newYorkDay } from './new-york-day.ts'
import { buy, emptyPosition, give, rebased, receive, sell, withFound } from './position.ts'
import type { Book } from './position.ts'
import { bookKey, readCurrency, readHeld, readOldestLots, writeBooks } from './position-store.ts'
import type { BookWanted } from './position-store.ts'

export interface PositionDeps {
  readonly rates: RateBook
  readonly clock: () => Date
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
    open: (tx, wanted) => open(deps, tx, wanted),
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

async function open(deps: PositionDeps, tx: Tx, wanted: readonly HoldingWanted[]): Promise<OpenHoldings> {
  const books = new Map<string, BookWanted>()
  for (const { walletId, instrumentId, sharesMax } of wanted) {
    const key = bookKey(walletId, instrumentId)
    books.set(key, { walletId, instrumentId, shares: sharesMax + (books.get(key)?.shares ?? 0n) })
  }
  const currencies = new Map(wanted.map(({ instrumentId, currencyId }) => [instrumentId, currencyId]))
  const newBases = new Map(
    wanted.flatMap(({ walletId, instrumentId, baseCurrency }) =>
      baseCurrency === null ? [] : [[bookKey(walletId, instrumentId), baseCurrency] as const],
    ),
  )
  const read = await readBooks(tx, [...books.values()], currencies, newBases)
  return { onFills: (fills) => writeBooks(tx, booksAfter(deps, read, fills), read) }
}

function booksAfter(
  deps: PositionDeps,
  read: ReadonlyMap<string, Book>,
  fills: readonly HoldingFill[],
): Book[] {
  const changed = new Map<string, Book>()
  for (const fill of fills) {
    const key = bookKey(fill.walletId, fill.instrumentId)
    changed.set(key, withFill(deps, changed.get(key) ?? bookOf(read, key), fill))
  }
  return [...changed.values()]
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
  const ofLots = wanted.filter(({ shares }) => shares > 0n)
  const [held, lots] = await Promise.all([readHeld(tx, wanted), readOldestLots(tx, ofLots)])
  const toRebase = wanted.filter(({ walletId, instrumentId, shares }) => {
    const key = bookKey(walletId, instrumentId)
    const base = held.get(key)?.baseCurrency ?? null
    return shares < ALL_SHARES && base !== null && (newBases.get(key) ?? base) !== base
  })
  const all = await readOldestLots(
    tx,
    toRebase.map((want) => ({ ...want, shares: ALL_SHARES })),
  )
  return new Map(
    wanted.map(({ walletId, instrumentId }) => {
      const key = bookKey(walletId, instrumentId)
      const currencyId = currencies.get(instrumentId)
      if (currencyId === undefined) throw new Error(`instrument ${instrumentId} has no currency`)
      const position = held.get(key) ?? emptyPosition(walletId, instrumentId, currencyId)
      return [key, { position, lots: all.get(key) ?? lots.get(key) ?? [], closed: [], disposals: [] }]
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

/**
 * @throws Problem asset_frozen while a split is posted: a reverse split would find none of its old shares with who sent
 * them, and take none from who got them
 */
async function moveHoldings(deps: PositionDeps, tx: Tx, moved: SharesMoved): Promise<void> {
  const { fromWallet, toWallet, instrumentId, quantity, journalKey } = moved
  if (await isSplitUnderWay(tx, instrumentId, newYorkDay(deps.clock()))) throw new Problem('asset_frozen')
  const [fromKey, toKey] = [bookKey(fromWallet, instrumentId), bookKey(toWallet, instrumentId)]
  const held = await readHeld(tx, [{ walletId: fromWallet, instrumentId }])
  const currencyId = held.get(fromKey)?.currencyId ?? (await readCurrencyId(tx, instrumentId))
  const bases = await deps.baseCurrenciesOf([toWallet], tx)
  const receiverBase = bases.get(toWallet)
  const read = await readBooks(
    tx,
    [
      { walletId: fromWallet, instrumentId, shares: quantity },
      { walletId: toWallet, instrumentId, shares: 0n },
    ],
    new Map([[instrumentId, currencyId]]),
    new Map(receiverBase === undefined ? [] : [[toKey, receiverBase]]),
  )
  const kept = bookOf(read, fromKey)
  const found = { at: deps.clock(), journalKey }
  const given = give(withFound(kept, quantity - kept.position.quantity, found), quantity)
  const opened = bookOf(read, toKey)
  const receiver = receiverBase === undefined ? opened : inBaseCurrency(deps, opened, receiverBase)
  const { baseCurrency } = receiver.position
  const rate = baseCurrency === null ? null : rebaseRate(deps.rates, given.parcel.baseCurrency, baseCurrency)
  await writeBooks(tx, [given.book, receive(receiver, given.parcel, journalKey, rate)], read)
}

async function readCurrencyId(tx: Tx, instrumentId: number): Promise<number> {
  const currencyId = currencyIdOf(await readCurrency(tx, instrumentId))
  if (currencyId === undefined) throw new Error(`instrument ${instrumentId} has no currency that is known`)
  return currencyId
}
