import { currencyById, worthDown } from '@kantor/contract/money'
import type { Tx } from '#db'
import { requireCurrency } from './corporate-action-dues.ts'
import type { Due, GivingAction } from './corporate-action-dues.ts'
import type { CorporateActionDeps, HolderAction } from './holder-action.ts'
import { newYorkDayStart } from './new-york-day.ts'
import { multiply, receiveDividend, withFound } from './position.ts'
import type { Book } from './position.ts'
import { ALL_SHARES, bookOf, inBaseCurrency, readBooks } from './position-books.ts'
import { bookKey, writeBooks } from './position-store.ts'

/** What an action does to a holder's lots and to what they earned; in the tx of its journal. */
export async function moveBook(
  deps: CorporateActionDeps,
  tx: Tx,
  { action, instrument, walletId }: HolderAction<GivingAction>,
  {
    moves,
    heldShares,
    journalKey,
  }: {
    readonly moves: ReadonlyMap<number, Due>
    /** What the ledger has before the move. */
    readonly heldShares: bigint
    readonly journalKey: string
  },
): Promise<void> {
  const key = bookKey(walletId, instrument.id)
  const base = (await deps.baseCurrenciesOf([walletId], tx)).get(walletId)
  const shares = moves.get(instrument.id)?.amount ?? 0n
  const read = await readBooks(
    tx,
    [{ walletId, instrumentId: instrument.id, shares: shares === 0n ? 0n : ALL_SHARES }],
    new Map([[instrument.id, requireCurrency(instrument.currency).id]]),
    new Map(base === undefined ? [] : [[key, base]]),
  )
  const split = { before: newYorkDayStart(action.exDate), at: deps.clock(), journalKey }
  const paid = [...moves].filter(([assetId]) => assetId !== instrument.id)
  const kept = bookOf(read, key)
  const whole = shares === 0n ? kept : withFound(kept, heldShares - kept.position.quantity, split)
  const opened = multiply(whole, shares, split)
  const inBase = base === undefined ? opened : inBaseCurrency(deps, opened, base)
  const book = paid.reduce((sum, [assetId, due]) => withMoney(deps, sum, assetId, due), inBase)
  await writeBooks(tx, [book], read)
}

/**
 * What a company pays, after tax, counts in the instrument's currency, at the rate of the moment where it is another.
 * @throws Error where no such rate is known: the action waits for one
 */
function withMoney(deps: CorporateActionDeps, book: Book, assetId: number, due: Due): Book {
  const { baseCurrency, currencyId } = book.position
  const [code, paidIn] = [codeOf(currencyId), codeOf(assetId)]
  const known = baseCurrency === null ? null : deps.rates.rate(code, baseCurrency)
  const rate =
    baseCurrency === null || known === null || known.unknown
      ? null
      : { baseCurrency, rate: known.rate, snapshotIds: known.legs.map(({ snapshotId }) => `${snapshotId}`) }
  const net = due.amount - due.withheld
  if (assetId === currencyId) return receiveDividend(book, net, rate)
  const exchange = deps.rates.rate(paidIn, code)
  if (exchange.unknown) throw new Error(`a dividend in ${paidIn} on a share in ${code}: no rate is known`)
  const [from, to] = [requireCurrency(paidIn).scale, requireCurrency(code).scale]
  return receiveDividend(book, worthDown(net, from, to, exchange.rate), rate)
}

function codeOf(currencyId: number): string {
  const currency = currencyById(currencyId)
  if (currency === undefined) throw new Error(`asset ${currencyId} is no currency`)
  return currency.code
}
