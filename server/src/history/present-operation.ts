import type { Operation } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { assetIdOf, movedAmounts, type JournalRef } from '#ledger'
import type { WalletAsset } from '#wallets'
import type { HistoryDeps, Person } from './deps.ts'
import { corporateActionOf } from './explain-corporate-action.ts'
import { orderOfJournal } from './explain-order.ts'
import { noteOf } from './filter.ts'
import { textOf } from './journal-detail.ts'
import { ruleOfJournal } from './explain-rule.ts'
import { counterpartyOf, feePaid } from './moved-amounts.ts'

/** Everything beside the journals that is needed to show them. */
export interface Surroundings {
  readonly assets: ReadonlyMap<number, WalletAsset>
  /** By wallet id. */
  readonly people: ReadonlyMap<bigint, Person>
  /** Seqs of the journals that were reversed. */
  readonly reversed: ReadonlySet<bigint>
}

/** Journals as their owner sees them, in the same order. */
export async function presentOperations(
  deps: HistoryDeps,
  walletId: bigint,
  journals: readonly JournalRef[],
): Promise<Operation[]> {
  const strangers = new Set<bigint>()
  for (const journal of journals) {
    const other = counterpartyOf(journal, walletId)
    if (other !== null) strangers.add(other)
  }
  const surroundings = await readSurroundings(deps, journals, strangers)
  return journals.map((journal) => operationOf(journal, walletId, surroundings))
}

export async function readSurroundings(
  deps: HistoryDeps,
  journals: readonly JournalRef[],
  walletIds: ReadonlySet<bigint>,
): Promise<Surroundings> {
  const assetIds = new Set(journals.flatMap(({ postings }) => postings.map(({ from }) => assetIdOf(from))))
  return {
    assets: await deps.assets.byIds([...assetIds]),
    people: walletIds.size === 0 ? new Map() : await deps.people.byWalletIds([...walletIds]),
    reversed: await readReversed(deps.db, journals),
  }
}

export function operationOf(journal: JournalRef, walletId: bigint, known: Surroundings): Operation {
  const counterparty = personOf(journal, walletId, known)
  const note = noteOf(journal)
  const fee = feePaid(journal.postings, walletId)
  const rate = textOf(journal.detail?.['rate'])
  const rule = ruleOfJournal(journal, walletId)
  const corporateAction = corporateActionOf(journal)
  const order = orderOfJournal(journal)
  return {
    id: journal.id,
    kind: journal.kind,
    status: known.reversed.has(journal.seq) ? 'reversed' : 'posted',
    at: journal.recordedAt.toISOString(),
    amounts: [...movedAmounts(journal.postings, walletId)].map(([id, amount]) => moneyOf(known, id, amount)),
    ...(fee === null ? {} : { fee: moneyOf(known, fee.assetId, fee.amount) }),
    ...(counterparty === null ? {} : { counterparty }),
    ...(note === null ? {} : { note }),
    ...(rate === null ? {} : { rate }),
    ...(rule === null ? {} : { rule }),
    ...(corporateAction === null ? {} : { corporateAction }),
    ...(order === null ? {} : { order: { id: order.id, instrument: order.instrument, side: order.side } }),
  }
}

export function moneyOf(
  { assets }: Surroundings,
  assetId: number,
  amount: bigint,
): { asset: string; amount: string } {
  const asset = assets.get(assetId)
  if (asset === undefined) throw new Error(`a journal moves asset ${assetId}, which is not among the assets`)
  return { asset: asset.code, amount: formatAmount(amount, asset.scale) }
}

/** The other customer, as they are called now: the handle is then one that can be sent to. */
function personOf(journal: JournalRef, walletId: bigint, { people }: Surroundings): Person | null {
  const other = counterpartyOf(journal, walletId)
  if (other === null) return null
  return people.get(other) ?? null
}

/** A reversal consumes the journal that it reverses, so the unique index on `consumes` finds it. */
async function readReversed(q: Queryable, journals: readonly JournalRef[]): Promise<Set<bigint>> {
  const { rows } = await q.query<{ reverses: bigint }>(
    `select reverses from ledger.journals where consumes = any ($1::text[]) and reverses is not null`,
    [journals.map(({ seq }) => `reversal:${seq}`)],
  )
  return new Set(rows.map(({ reverses }) => reverses))
}
