import { setTimeout as sleep } from 'node:timers/promises'
import type { Queryable } from '#db'

/** What the drill's own consumer writes down, in the order in which it is told. */
export const TOLD_TABLE = `
  create schema drill;
  create table drill.told (
    place bigserial primary key,
    id uuid not null,
    seq bigint not null,
    wallets bigint[] not null
  );
  grant usage on schema drill to kantor_app;
  grant select, insert on drill.told to kantor_app;
  grant usage on sequence drill.told_place_seq to kantor_app;`

/** Journals that a customer has a part in, by the ledger's rows alone. */
export const EVENTS_DUE = `
  select distinct seq from ledger.journals
   cross join lateral unnest(postings) with ordinality as part (value, place)
   where part.place % 3 <> 0 and part.value >> 27 >= 1000`

const RULES: Readonly<Record<string, string>> = {
  'I7 an event was told twice': `
    select concat_ws(' ', seq, count(*)) as one from drill.told group by seq having count(*) > 1 limit 5`,
  'I7 an event came before an older one of its wallet': `
    select concat_ws(' ', wallet, seq) as one from (
      select wallet, seq, lag(seq) over (partition by wallet order by place) as before
        from drill.told cross join lateral unnest(wallets) as party (wallet)
    ) told where before > seq limit 5`,
  // Not by `not in`, which compares each with all once the hash of the journals outgrows work_mem.
  'I7 an event is of no journal': `
    select concat_ws(' ', seq) as one from (select seq from drill.told except (${EVENTS_DUE})) strange limit 5`,
  'I7 an event was put aside': `
    select concat_ws(' ', consumer, seq, reason) as one from events.dead_letters limit 5`,
}

/** What was told so far: once each, in order per wallet, of what was posted. */
export async function judgeTold(q: Queryable): Promise<string[]> {
  const found = await Promise.all(
    Object.entries(RULES).map(async ([what, statement]) => {
      const { rows } = await q.query<{ one: string }>(statement)
      return rows.map(({ one }) => `${what}: ${one}`)
    }),
  )
  return found.flat()
}

const DRAINED_WITHIN_MS = 240_000
const LOOK_EVERY_MS = 250

/** Nothing is posted any more: all that was is told within the time, or lost. */
export async function judgeDrained(q: Queryable): Promise<string[]> {
  const deadline = Date.now() + DRAINED_WITHIN_MS
  for (;;) {
    const { rows } = await q.query<{ seq: bigint }>(`${EVENTS_DUE} except select seq from drill.told limit 5`)
    if (rows.length === 0) return []
    if (Date.now() > deadline) return rows.map(({ seq }) => `I7 the event of journal ${seq} never came`)
    await sleep(LOOK_EVERY_MS)
  }
}

export async function countTold(q: Queryable): Promise<bigint> {
  const { rows } = await q.query<{ count: bigint }>('select count(*) as count from drill.told')
  return rows[0]?.count ?? 0n
}
