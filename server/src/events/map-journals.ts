import { JOURNAL_EVENT_VERSION, JOURNAL_POSTED } from '@kantor/contract/events'
import type { EventParty, JournalEvent } from '@kantor/contract/events'
import { formatAmount } from '@kantor/contract/money'
import { accountId, assetIdOf, CUSTOMER_WALLET_ID_MIN, movedAmounts, PURPOSE, walletIdOf } from '#ledger'
import type { Asset, JournalRef, LastEntry, Posting } from '#ledger'

/** Everything beside the journals that their events are made from. */
export interface MappingTerms {
  /** What each customer's account held after each of these journals that touched it. */
  readonly entries: readonly LastEntry[]
  /** What the accounts held before the first of them; an account that is not here held nothing. */
  readonly opening: ReadonlyMap<bigint, bigint>
  readonly assets: ReadonlyMap<number, Asset>
}

/** Customers whose accounts the journal moved, in order of the postings. */
export function customersOf(postings: readonly Posting[]): bigint[] {
  const walletIds = postings.flatMap(({ from, to }) => [walletIdOf(from), walletIdOf(to)])
  return [...new Set(walletIds)].filter((walletId) => walletId >= CUSTOMER_WALLET_ID_MIN)
}

/** Assets of which the wallet's own accounts moved, in order of the postings. */
export function assetsMoved(postings: readonly Posting[], walletId: bigint): number[] {
  const touching = postings.filter(
    ({ from, to }) => walletIdOf(from) === walletId || walletIdOf(to) === walletId,
  )
  return [...new Set(touching.map(({ from }) => assetIdOf(from)))]
}

/** The two accounts of a wallet that an event tells of. */
export function toldAccounts(walletId: bigint, assetId: number): { available: bigint; reserved: bigint } {
  return {
    available: accountId({ walletId, assetId, purpose: PURPOSE.available }),
    reserved: accountId({ walletId, assetId, purpose: PURPOSE.reserved }),
  }
}

/**
 * The events of journals in order of seq, for the parties that `tells` chooses; a journal without one is left out.
 * Of a wallet that is told of, no journal in between may be missing, since balances are carried from one to the next.
 */
export function eventsOf(
  journals: readonly JournalRef[],
  terms: MappingTerms,
  tells: (walletId: bigint) => boolean = () => true,
): JournalEvent[] {
  const held = new Map(terms.opening)
  const entriesOf = Map.groupBy(terms.entries, ({ seq }) => seq)
  return journals.flatMap((journal) => {
    for (const entry of entriesOf.get(journal.seq) ?? []) held.set(entry.accountId, entry.balanceAfter)
    const parties = customersOf(journal.postings)
      .filter(tells)
      .map((walletId) => partyOf(journal.postings, walletId, held, terms.assets))
    return parties.length === 0 ? [] : [eventOf(journal, parties)]
  })
}

function eventOf({ id, seq, recordedAt, kind, detail }: JournalRef, parties: EventParty[]): JournalEvent {
  return {
    id,
    version: JOURNAL_EVENT_VERSION,
    type: JOURNAL_POSTED,
    seq: String(seq),
    at: recordedAt.toISOString(),
    kind,
    parties,
    detail,
  }
}

function partyOf(
  postings: readonly Posting[],
  walletId: bigint,
  held: ReadonlyMap<bigint, bigint>,
  assets: ReadonlyMap<number, Asset>,
): EventParty {
  const moneyOf = (assetId: number, minor: bigint) => {
    const asset = assets.get(assetId)
    if (asset === undefined) throw new Error(`asset ${assetId} is in a journal and does not exist`)
    return { asset: asset.code, amount: formatAmount(minor, asset.scale) }
  }
  return {
    walletId: String(walletId),
    amounts: [...movedAmounts(postings, walletId)].map(([assetId, minor]) => moneyOf(assetId, minor)),
    balances: assetsMoved(postings, walletId).map((assetId) => {
      const { available, reserved } = toldAccounts(walletId, assetId)
      const { asset, amount } = moneyOf(assetId, held.get(available) ?? 0n)
      return { asset, available: amount, reserved: moneyOf(assetId, held.get(reserved) ?? 0n).amount }
    }),
  }
}
