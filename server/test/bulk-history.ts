import type { Queryable } from '#db'

/** A wallet whose history is made in bulk, with known rare things at a tenth, the middle and the end of it. */
export interface BulkWallet {
  readonly walletId: bigint
  readonly operations: number
}

/** What occurs three times in a bulk history (the asset once), however long it is. */
export const RARE = {
  kind: 'dividend',
  asset: 'JPY',
  /** EUR; other amounts are below 1,000. */
  amount: '987.65',
  /** Neither above nor below all others: no smallest and largest of any part leave it out. */
  amountMin: '987.60',
  amountMax: '987.69',
  word: 'zlotogrosz',
} as const

/** Wallet ids of those it deals with: 20 often, the last one three times. */
export function bulkCounterparties(walletId: bigint): { frequent: bigint; rare: bigint } {
  return { frequent: walletId * 100n, rare: walletId * 100n + 20n }
}

/**
 * Writes journals, entries, accounts and blocks as posting them would have, but for the hashes: versions without
 * gaps, running balances, and seqs, times and heights that grow together. As the owner of the database; the
 * currencies must have been declared.
 */
export async function insertBulkHistory(q: Queryable, wallet: BulkWallet): Promise<void> {
  await q.query(MAKE_OPERATIONS, [wallet.walletId, wallet.operations])
  await q.query(INSERT_JOURNALS)
  await q.query(INSERT_ENTRIES)
  await q.query(UPSERT_ACCOUNTS)
  await q.query(INSERT_BLOCKS)
  await q.query(UPDATE_HEAD)
  await q.query('drop table bulk_operations')
}

const JOURNALS_PER_BLOCK = 200
const LARGE = 10n ** 15n

/** Account ids as in the ledger's README; -21 to -1 are the counterparties' own opening deposits. */
const MAKE_OPERATIONS = `
create unlogged table bulk_operations as
with made as (
  select number, $1::bigint as wallet, $1::bigint * 100 + number * 31 % 20 as other,
    ($1::bigint << 27) | (978 << 7) as eur, ($1::bigint << 27) | (840 << 7) as usd,
    (hashint8(number) & 2147483647) as random,
    case
      when number < 0 then 'opening'
      when number = 0 then 'eur'
      when number = 1 then 'usd'
      when number = $2::bigint / 2 + 10 then 'rareAsset'
      when number in ($2 / 10 + 20, $2 / 2 + 20, $2 * 9 / 10 + 20) then 'rareKind'
      when number in ($2 / 10 + 30, $2 / 2 + 30, $2 * 9 / 10 + 30) then 'rareCounterparty'
      when number in ($2 / 10 + 40, $2 / 2 + 40, $2 * 9 / 10 + 40) then 'rareAmount'
      when number in ($2 / 10 + 50, $2 / 2 + 50, $2 * 9 / 10 + 50) then 'rareWord'
      when number * 7919 % 100 < 55 then 'out'
      when number * 7919 % 100 < 75 then 'in'
      when number * 7919 % 100 < 95 then 'conversion'
      else 'deposit'
    end as what
  from generate_series(-21::bigint, $2::bigint - 1) number
), head as (
  select height, greatest(last_recorded_at, now() - interval '1 day') as start from ledger.chain_head
)
select
  (head.height + 1 + (number + 21) / ${JOURNALS_PER_BLOCK}) * 4096 + (number + 21) % ${JOURNALS_PER_BLOCK} as seq,
  date_trunc('milliseconds', head.start + (number + 21) / ${JOURNALS_PER_BLOCK} * interval '10 milliseconds')
    as recorded_at,
  wallet as scope,
  (case what when 'rareKind' then 8 when 'conversion' then 4 when 'out' then 3 when 'in' then 3
    when 'rareCounterparty' then 3 when 'rareAmount' then 3 when 'rareWord' then 3 else 1 end)::smallint as kind,
  case what
    when 'opening' then array[134217728 | (978 << 7) | 16, ((wallet * 100 + 21 + number) << 27) | (978 << 7), ${LARGE}]
    when 'eur' then array[134217728 | (978 << 7) | 16, eur, ${LARGE}]
    when 'usd' then array[134217728 | (840 << 7) | 16, usd, ${LARGE}]
    when 'rareAsset' then array[134217728 | (392 << 7) | 16, (wallet << 27) | (392 << 7), 5000]
    when 'rareKind' then array[134217728 | (840 << 7) | 19, usd, 123]
    when 'rareCounterparty' then array[eur, ((wallet * 100 + 20) << 27) | (978 << 7), 1000]
    when 'rareAmount' then array[eur, (other << 27) | (978 << 7), 98765]
    when 'rareWord' then array[eur, (other << 27) | (978 << 7), 2000]
    when 'out' then array[eur, (other << 27) | (978 << 7), amount]
    when 'in' then array[(other << 27) | (978 << 7), eur, amount]
    when 'conversion' then array[eur, 134217728 | (978 << 7) | 17, amount, 134217728 | (840 << 7) | 17, usd, amount + 7,
      eur, 134217728 | (978 << 7) | 18, amount / 100 + 1]
    else array[134217728 | (978 << 7) | 16, eur, amount]
  end::bigint[] as postings,
  case
    when what = 'rareWord' then '{"note": "Złotogrosz for luck"}'::jsonb
    when what = 'conversion' then '{"rate": "1.0842", "mid": "1.0896", "marginBps": 50}'::jsonb
    when what in ('out', 'in') then jsonb_build_object('note', concat_ws(' ',
      (array['Rent','Lunch','Coffee','Cinema','Groceries','Petrol','Books','Gift'])[1 + random % 8],
      (array['May','June','July','August','shared','late','again','thanks'])[1 + random / 8 % 8],
      'project' || random / 64 % 300, case when random % 10 = 0 then 'no ' || number end))
  end as detail
from made
cross join lateral (
  -- Everyday amounts, and none that the search for the rare one finds.
  select case when raw between 98700 and 98799 then 98699 when what = 'conversion' then 1 + raw * 9 / 10 else raw end
    as amount
  from (select 1 + random % 100000 as raw) drawn
) amounts
cross join head`

const INSERT_JOURNALS = `
insert into ledger.journals (seq, scope, recorded_at, key_hash, request_hash, kind, postings, detail)
select seq, scope, recorded_at, gen_random_uuid(), gen_random_uuid(), kind, postings, detail
from bulk_operations order by seq`

const SIDES = `
  select seq, kind, posting * 2 + side.which as place, side.account_id, side.amount
  from bulk_operations
  cross join lateral generate_series(0, cardinality(postings) / 3 - 1) posting
  cross join lateral (values
    (0, postings[posting * 3 + 1], -postings[posting * 3 + 3]),
    (1, postings[posting * 3 + 2], postings[posting * 3 + 3])
  ) side (which, account_id, amount)`

const INSERT_ENTRIES = `
insert into ledger.entries (account_id, version, seq, amount, balance_after, kind)
select account_id, coalesce(accounts.version, 0) + row_number() over ordered, seq, amount,
  coalesce(accounts.balance, 0) + sum(amount) over (ordered rows unbounded preceding), kind
from (${SIDES}) sides
left join ledger.accounts on accounts.id = account_id
window ordered as (partition by account_id order by seq, place)
order by seq, place`

const UPSERT_ACCOUNTS = `
insert into ledger.accounts as stored (id, floor, balance, version)
select account_id, case when account_id >= 134217728000 then 0 end, sum(amount), count(*)
from (${SIDES}) sides group by account_id
on conflict (id) do update
  set balance = stored.balance + excluded.balance, version = stored.version + excluded.version`

const INSERT_BLOCKS = `
insert into ledger.blocks (height, sealed_at, journal_count, previous_hash, journals_root, hash)
select seq >> 12, min(recorded_at), count(*), sha256('bulk'), sha256('bulk'), sha256('bulk')
from bulk_operations group by seq >> 12`

const UPDATE_HEAD = `
update ledger.chain_head set height = last.height, last_recorded_at = last.sealed_at, hash = last.hash
from (select height, sealed_at, hash from ledger.blocks order by height desc limit 1) last`
