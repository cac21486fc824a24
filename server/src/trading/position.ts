import type { BaseRate } from './holdings.ts'
import { addCost, addGain, gainOf, minorRate, NO_COST, NO_GAIN, paidCost } from './lot-maths.ts'
import { rebasedCost, rebasedGain, splitCost } from './lot-maths.ts'
import type { Cost, Gain, MinorRate } from './lot-maths.ts'

export type CostBasisMethod = 'fifo' | 'average'

export interface MethodState {
  /** Of what is held. */
  readonly held: Cost
  readonly realised: Gain
}

/** What a wallet holds of one instrument, under both methods. */
export interface Position {
  readonly walletId: bigint
  readonly instrumentId: number
  readonly currencyId: number
  readonly baseCurrency: string | null
  readonly approximate: boolean
  readonly quantity: bigint
  readonly lastLot: number
  readonly lastDisposal: number
  readonly fifo: MethodState
  readonly average: MethodState
  readonly dividendsMinor: bigint
  readonly dividendsBaseMinor: bigint | null
}

export interface Lot {
  readonly number: number
  readonly openedAt: Date
  readonly origin: 'trade' | 'transfer' | 'split' | 'found'
  readonly journalKey: string
  readonly quantity: bigint
  readonly cost: Cost
  readonly rate: Pick<BaseRate, 'baseCurrency' | 'rate' | 'snapshotIds'> | null
}

export interface Disposal {
  readonly number: number
  readonly journalKey: string
  readonly at: Date
  readonly quantity: bigint
  readonly cashMinor: bigint
  readonly feeMinor: bigint
  readonly rate: Pick<BaseRate, 'baseCurrency' | 'rate' | 'snapshotIds'> | null
  readonly lots: readonly { readonly number: number; readonly quantity: bigint }[]
  readonly fifo: Gain
  readonly average: Gain
}

/** A position within a tx: its open lots, as far as they are needed, oldest first, and what was done to them. */
export interface Book {
  readonly position: Position
  readonly lots: readonly Lot[]
  /** Lots used up within this tx, which are still to be written. */
  readonly closed: readonly Lot[]
  readonly disposals: readonly Disposal[]
}

/** Shares on their way from one wallet to another. */
export interface Parcel {
  readonly quantity: bigint
  readonly currencyId: number
  readonly baseCurrency: string | null
  readonly approximate: boolean
  readonly pieces: readonly Lot[]
  readonly averageCost: Cost
}

export function emptyPosition(walletId: bigint, instrumentId: number, currencyId: number): Position {
  const nothing: MethodState = { held: NO_COST, realised: NO_GAIN }
  return {
    walletId,
    instrumentId,
    currencyId,
    baseCurrency: null,
    approximate: false,
    quantity: 0n,
    lastLot: 0,
    lastDisposal: 0,
    fifo: nothing,
    average: nothing,
    dividendsMinor: 0n,
    dividendsBaseMinor: 0n,
  }
}

type BaseRateKept = Lot['rate']

const minorRateOf = (position: Position, rate: BaseRateKept): MinorRate | null =>
  rate === null ? null : minorRate(position.currencyId, rate.baseCurrency, rate.rate)

export interface Purchase {
  readonly quantity: bigint
  readonly costMinor: bigint
  readonly feeMinor: bigint
  readonly at: Date
  readonly journalKey: string
  readonly rate: BaseRateKept
}

/** The position must be in the rate's base currency: see `rebased`. */
export function buy(book: Book, { quantity, costMinor, feeMinor, at, journalKey, rate }: Purchase): Book {
  const cost = paidCost(costMinor, feeMinor, minorRateOf(book.position, rate))
  const lot = { openedAt: at, origin: 'trade', journalKey, quantity, cost, rate } as const
  return addLots(book, [lot], cost)
}

function addLots(book: Book, added: readonly Omit<Lot, 'number'>[], averageCost: Cost): Book {
  const { position } = book
  const fifoCost = added.reduce((sum, { cost }) => addCost(sum, cost), NO_COST)
  const quantity = added.reduce((sum, lot) => sum + lot.quantity, 0n)
  const numbered = added.map((lot, index) => ({ ...lot, number: position.lastLot + 1 + index }))
  return {
    ...book,
    lots: [...book.lots, ...numbered].toSorted(inOrder),
    position: {
      ...position,
      quantity: position.quantity + quantity,
      lastLot: position.lastLot + added.length,
      fifo: { ...position.fifo, held: addCost(position.fifo.held, fifoCost) },
      average: { ...position.average, held: addCost(position.average.held, averageCost) },
    },
  }
}

function inOrder(left: Lot, right: Lot): number {
  return left.openedAt.getTime() - right.openedAt.getTime() || left.number - right.number
}

interface Taken {
  readonly book: Book
  readonly pieces: readonly Lot[]
  readonly fifoCost: Cost
  readonly averageCost: Cost
}

/**
 * Shares that the ledger has and no lot accounts for, such as those of an adjustment: a lot without cost, so that
 * they can be sold and sent like others, and are seen to be there.
 */
export function withFound(
  book: Book,
  quantity: bigint,
  { at, journalKey }: { readonly at: Date; readonly journalKey: string },
): Book {
  if (quantity <= 0n) return book
  const lot = { openedAt: at, origin: 'found', journalKey, quantity, cost: NO_COST, rate: null } as const
  return addLots(book, [lot], NO_COST)
}

/** @throws Error when there is less: lots and the ledger's balance would differ, which must undo the whole tx */
function take(book: Book, quantity: bigint): Taken {
  const { position } = book
  if (quantity > position.quantity) throw new Error(`wallet ${position.walletId} has fewer lots than shares`)
  const pieces: Lot[] = []
  const [lots, closed] = [[] as Lot[], [...book.closed]]
  let needed = quantity
  for (const lot of book.lots) {
    const part = needed < lot.quantity ? needed : lot.quantity
    needed -= part
    if (part === 0n) {
      lots.push(lot)
      continue
    }
    const { taken, left } = splitCost(lot.cost, part, lot.quantity)
    pieces.push({ ...lot, quantity: part, cost: taken })
    const rest = { ...lot, quantity: lot.quantity - part, cost: left }
    if (rest.quantity === 0n) closed.push(rest)
    else lots.push(rest)
  }
  if (needed > 0n) throw new Error('not every lot that is needed was read')
  const average = splitCost(position.average.held, quantity, position.quantity)
  const fifoCost = pieces.reduce((sum, { cost }) => addCost(sum, cost), NO_COST)
  const left = position.quantity - quantity
  return {
    pieces,
    fifoCost,
    averageCost: average.taken,
    book: {
      ...book,
      lots,
      closed,
      position: {
        ...position,
        quantity: left,
        fifo: { ...position.fifo, held: lessCost(position.fifo.held, fifoCost, left) },
        average: { ...position.average, held: left === 0n ? NO_COST : average.left },
      },
    },
  }
}

/** Nothing held costs nothing, and is known to: so an unknown rate is forgotten once everything is sold. */
function lessCost(held: Cost, taken: Cost, left: bigint): Cost {
  if (left === 0n) return NO_COST
  return {
    costMinor: held.costMinor - taken.costMinor,
    feeMinor: held.feeMinor - taken.feeMinor,
    base:
      held.base === null || taken.base === null
        ? null
        : {
            costMinor: held.base.costMinor - taken.base.costMinor,
            feeMinor: held.base.feeMinor - taken.base.feeMinor,
          },
  }
}

export interface Sale {
  readonly quantity: bigint
  readonly cashMinor: bigint
  readonly feeMinor: bigint
  readonly at: Date
  readonly journalKey: string
  readonly rate: BaseRateKept
}

export function sell(book: Book, sale: Sale): Book {
  const whole = withFound(book, sale.quantity - book.position.quantity, sale)
  const { book: left, pieces, fifoCost, averageCost } = take(whole, sale.quantity)
  const { position } = left
  const rate = minorRateOf(position, sale.rate)
  const [fifo, average] = [gainOf(fifoCost, sale, rate), gainOf(averageCost, sale, rate)]
  const number = position.lastDisposal + 1
  const lots = pieces.map((piece) => ({ number: piece.number, quantity: piece.quantity }))
  return {
    ...left,
    disposals: [...left.disposals, { ...sale, number, lots, fifo, average }],
    position: {
      ...position,
      lastDisposal: number,
      fifo: { ...position.fifo, realised: addGain(position.fifo.realised, fifo) },
      average: { ...position.average, realised: addGain(position.average.realised, average) },
    },
  }
}

/** Shares that go to somebody else at their cost: nothing is made or lost by it. */
export function give(book: Book, quantity: bigint): { book: Book; parcel: Parcel } {
  const { book: left, pieces, averageCost } = take(book, quantity)
  const { currencyId, baseCurrency, approximate } = book.position
  return { book: left, parcel: { quantity, currencyId, baseCurrency, approximate, pieces, averageCost } }
}

/** @param rate from the parcel's base currency into the position's, where they differ; null: unknown */
export function receive(book: Book, parcel: Parcel, journalKey: string, rate: MinorRate | null): Book {
  const { baseCurrency } = book.position
  const same = parcel.baseCurrency === null || parcel.baseCurrency === baseCurrency
  const costOf = (cost: Cost): Cost => (same ? cost : rebasedCost(cost, rate))
  const pieces = parcel.pieces.map((piece) => ({
    ...piece,
    origin: 'transfer' as const,
    journalKey,
    cost: costOf(piece.cost),
  }))
  const received = addLots(book, pieces, costOf(parcel.averageCost))
  const approximate = received.position.approximate || parcel.approximate || !same
  return { ...received, position: { ...received.position, approximate } }
}

/** The book in another base currency, all amounts at one rate; every open lot must have been read. */
export function rebased(book: Book, baseCurrency: string, rate: MinorRate | null): Book {
  const { position, lots } = book
  if (position.baseCurrency === baseCurrency) return book
  if (position.baseCurrency === null) return { ...book, position: { ...position, baseCurrency } }
  return {
    ...book,
    lots: lots.map((lot) => ({ ...lot, cost: rebasedCost(lot.cost, rate) })),
    position: rebasedPosition(position, baseCurrency, rate),
  }
}

export function rebasedPosition(position: Position, baseCurrency: string, rate: MinorRate | null): Position {
  if (position.baseCurrency === baseCurrency) return position
  const methodOf = ({ held, realised }: MethodState): MethodState => ({
    held: rebasedCost(held, rate),
    realised: rebasedGain(realised, rate),
  })
  const { dividendsMinor, dividendsBaseMinor } = position
  const dividends =
    dividendsMinor === 0n ? 0n : rate === null || dividendsBaseMinor === null ? null : dividendsBaseMinor
  return {
    ...position,
    baseCurrency,
    approximate: true,
    fifo: methodOf(position.fifo),
    average: methodOf(position.average),
    dividendsBaseMinor: dividends === null || rate === null ? dividends : convert(dividends, rate),
  }
}

function convert(minor: bigint, rate: MinorRate): bigint {
  return paidCost(minor, 0n, rate).base?.costMinor ?? 0n
}

/** A dividend, or what a correction took back (below zero). */
export function receiveDividend(book: Book, minor: bigint, rate: BaseRateKept): Book {
  const { position } = book
  const converts = minorRateOf(position, rate)
  const known = position.dividendsBaseMinor
  const dividendsBaseMinor = converts === null || known === null ? null : known + convert(minor, converts)
  return {
    ...book,
    position: { ...position, dividendsMinor: position.dividendsMinor + minor, dividendsBaseMinor },
  }
}

/**
 * A split: the lots opened before it come to `delta` more shares (less: below zero) at the same cost. Each gets its
 * share, in whole units by running totals, so that they add up exactly. What none of them can bear becomes a lot
 * without cost: the shares it belonged to were sold before the split was known.
 */
export function multiply(
  book: Book,
  delta: bigint,
  { before, at, journalKey }: { readonly before: Date; readonly at: Date; readonly journalKey: string },
): Book {
  if (delta === 0n) return book
  const old = book.lots.filter(({ openedAt }) => openedAt < before)
  // A reverse split that was known late may take more than is left of the old ones.
  const bearing = sharesOf(old) + delta < 0n ? book.lots : old
  const whole = sharesOf(bearing)
  if (whole === 0n && delta > 0n) {
    const lot = {
      openedAt: at,
      origin: 'split',
      journalKey,
      quantity: delta,
      cost: NO_COST,
      rate: null,
    } as const
    return addLots(book, [lot], NO_COST)
  }
  if (whole + delta < 0n) throw new Error('a split would take more shares than there are')
  const scaled = new Map(scaledLots(bearing, whole, whole + delta).map((lot) => [lot.number, lot]))
  const lots = book.lots.map((lot) => scaled.get(lot.number) ?? lot)
  const position = { ...book.position, quantity: book.position.quantity + delta }
  return {
    ...book,
    lots: lots.filter(({ quantity }) => quantity > 0n),
    closed: [...book.closed, ...lots.filter(({ quantity }) => quantity === 0n)],
    position: position.quantity > 0n ? position : writtenOff(position),
  }
}

/** A reverse split of less than it leaves one billionth of: what it cost is lost. */
function writtenOff(position: Position): Position {
  const lost = ({ held, realised }: MethodState): MethodState => ({
    held: NO_COST,
    realised: addGain(realised, gainOf(held, { cashMinor: 0n, feeMinor: 0n }, null)),
  })
  return { ...position, fifo: lost(position.fifo), average: lost(position.average) }
}

const sharesOf = (lots: readonly Lot[]): bigint => lots.reduce((sum, { quantity }) => sum + quantity, 0n)

/** A lot that comes to nothing leaves its cost to the next, the last ones to the one before. */
function scaledLots(lots: readonly Lot[], whole: bigint, scaledWhole: bigint): Lot[] {
  let [seen, given, carried] = [0n, 0n, NO_COST]
  const scaled: Lot[] = []
  for (const lot of lots) {
    seen += lot.quantity
    const quantity = (seen * scaledWhole) / whole - given
    given += quantity
    const cost = addCost(lot.cost, carried)
    carried = quantity === 0n ? cost : NO_COST
    scaled.push({ ...lot, quantity, cost: quantity === 0n ? NO_COST : cost })
  }
  const heir = scaled.findLastIndex(({ quantity }) => quantity > 0n)
  return scaled.map((lot, index) => (index === heir ? { ...lot, cost: addCost(lot.cost, carried) } : lot))
}
