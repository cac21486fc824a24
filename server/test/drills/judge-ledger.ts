import type { Queryable } from '#db'

/**
 * I1 to I3 over all there is, in PostgreSQL's own arithmetic, which none of the program's code has a part in. All
 * statements see one instant when `q` is a snapshot.
 */
export async function judgeBalances(q: Queryable): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(RULES).map(async ([what, statement]) => {
      const { rows } = await q.query<{ one: string }>(statement)
      return rows.map(({ one }) => `${what}: ${one}`)
    }),
  )
  return found.flat()
}

const RULES: Readonly<Record<string, string>> = {
  'I1 a journal does not sum to zero in an asset': `
    select concat_ws(' ', seq, (account_id >> 7) & 1048575, sum(amount)) as one from ledger.entries
     group by seq, (account_id >> 7) & 1048575 having sum(amount) <> 0 limit 5`,
  'I2 an asset does not sum to zero over all accounts': `
    select concat_ws(' ', (id >> 7) & 1048575, sum(balance)) as one from ledger.accounts
     group by (id >> 7) & 1048575 having sum(balance) <> 0 limit 5`,
  'I3 an account is not the sum of its entries': `
    select concat_ws(' ', id, balance, summed) as one
      from ledger.accounts left join (
        select account_id, sum(amount) as summed, count(*) as entries from ledger.entries group by account_id
      ) by_account on account_id = id
     where balance <> coalesce(summed, 0) or version <> coalesce(entries, 0) limit 5`,
  'I3 a running balance is not the last one and the amount': `
    select concat_ws(' ', account_id, version) as one from (
      select account_id, version, amount, balance_after,
             lag(balance_after, 1, 0::bigint) over by_version as before, row_number() over by_version as place
        from ledger.entries window by_version as (partition by account_id order by version)
    ) run where balance_after <> before + amount or place <> version limit 5`,
  'I3 a customer has less than nothing': `
    select concat_ws(' ', id, balance) as one from ledger.accounts where id >> 27 >= 1000 and balance < 0 limit 5`,
  'I3 a customer had less than nothing': `
    select concat_ws(' ', account_id, version) as one from ledger.entries
     where account_id >> 27 >= 1000 and balance_after < 0 limit 5`,
}
