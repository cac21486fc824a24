import type { Database } from '#db'

/** Back from now a receiver can be sent what happened. */
const KEEP_MESSAGES_DAYS = 30
const KEEP_NOTICES_DAYS = 400
const DAY_MS = 86_400_000
/** In steps, so that no statement holds on for long. */
const ROWS_PER_STEP = 5_000
const STEPS_MAX = 200

/** Deletes what nobody will ask for again. What is left over after so many steps is the next day's. */
export async function sweepNotifications(db: Database, now: Date): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * DAY_MS)
  await inSteps(() => deleteMessages(db, daysAgo(KEEP_MESSAGES_DAYS)))
  await inSteps(() => deleteNotices(db, daysAgo(KEEP_NOTICES_DAYS)))
}

async function inSteps(step: () => Promise<number>): Promise<void> {
  for (let steps = 0; steps < STEPS_MAX; steps += 1) if ((await step()) < ROWS_PER_STEP) return
}

/** With their deliveries and attempts. */
async function deleteMessages(db: Database, before: Date): Promise<number> {
  const { rowCount } = await db.query(
    `delete from notifications.webhook_messages where position in (
       select position from notifications.webhook_messages where created_at < $1 order by created_at limit $2)`,
    [before, ROWS_PER_STEP],
  )
  return rowCount ?? 0
}

/** What was never read counts as read once it has gone, so that the unread stay a subtraction. */
async function deleteNotices(db: Database, before: Date): Promise<number> {
  const { rows } = await db.query<{ gone: bigint }>(
    `with gone as (
       delete from notifications.notices where id in (
         select id from notifications.notices where created_at < $1 order by created_at limit $2)
       returning wallet_id, position),
     unread as (
       select wallet_id, last_gone from notifications.inboxes
         join (select wallet_id, max(position) as last_gone from gone group by wallet_id) as last using (wallet_id)
        where read_position < last_gone
        -- Ascending, as whoever tells several wallets locks them.
        order by wallet_id for no key update of inboxes),
     read as (
       update notifications.inboxes set read_position = greatest(read_position, last_gone)
         from unread where inboxes.wallet_id = unread.wallet_id)
     select count(*) as gone from gone`,
    [before, ROWS_PER_STEP],
  )
  return Number(rows[0]?.gone ?? 0n)
}
