import type { Queryable } from '#db'
import { JOURNAL_KINDS } from '#ledger'
import type { JournalKind } from '#ledger'

/** These move nothing between wallets. */
const WITHIN_WALLET: readonly JournalKind[] = ['reserve', 'release', 'rename', 'delisting']
const MOVING_KINDS = Object.entries(JOURNAL_KINDS)
  .filter(([kind]) => !WITHIN_WALLET.some((within) => within === kind))
  .map(([, number]) => number)

/**
 * What was moved of a wallet's shares since a moment in the world: trades by the time of their price, whenever it was
 * ingested; transfers by their own; splits by their day. What is held now less this was held then. Only journals that
 * were recorded since are looked at: none takes effect before it is recorded.
 * @param accounts the wallet's own of the instrument, locked by the caller
 */
export async function readMovedSince(
  q: Queryable,
  { walletId, accounts, since }: { walletId: bigint; accounts: readonly bigint[]; since: Date },
): Promise<bigint> {
  const { rows } = await q.query<{ moved: string }>({
    name: 'trading.moved_since',
    text: `
      select coalesce(sum(entries.amount), 0) as moved
      from unnest($1::bigint[]) moving (kind)
      join ledger.entries on (entries.account_id >> 27 << 6 | entries.kind) = ($2::bigint << 6 | moving.kind)
        and entries.account_id >= 134217728000
        and entries.seq > coalesce(
          (select height from ledger.blocks where sealed_at < $4 order by sealed_at desc, height desc limit 1), 0
        ) * 4096 + 4095
      join ledger.journals on journals.seq = entries.seq
      where entries.account_id = any ($3::bigint[])
        and coalesce(
          journals.effective_at, (journals.detail ->> 'priceAsOf')::timestamptz, journals.recorded_at
        ) >= $4`,
    values: [MOVING_KINDS, walletId, accounts, since],
  })
  return BigInt(rows[0]?.moved ?? '0')
}
