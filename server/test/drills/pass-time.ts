import type { Queryable } from '#db'

/**
 * Lets one week or two go by for rules that a weekday is waited for, and hours for runs that wait for their next try:
 * rules fall due by the week, and a drill lasts minutes. Everything that says when is set back alike, so the rule is as
 * if it had been made so much earlier while no worker ran; what is due then, workers do by themselves.
 */
export async function passTime(q: Queryable): Promise<void> {
  await q.query(
    `update rules.rules
        set created_at = created_at - weeks.gone, planned_for = planned_for - weeks.gone, wake_at = wake_at - weeks.gone,
            version = version + 1
       from (select id as of, interval '168 hours' * (1 + get_byte(uuid_send(id), 15) % 2) as gone from rules.rules) weeks
      where id = of and state = 'active' and definition -> 'schedule' ->> 'repeat' = 'weekly'
        and version = 1 and wake_at > now()`,
  )
  await q.query(
    `update rules.rules set wake_at = now(), version = version + 1
      where state = 'active' and topic is null and tries > 0 and wake_at > now()`,
  )
}
