import type { Database } from '#db'
import { defineJob, DELIVERY_PRIORITY } from '#jobs'
import type { AnyJob, ScheduleEntry } from '#jobs'
import { z } from 'zod'
import { MESSAGE_JOBS } from './notify.ts'
import { sendMail } from './send-mail.ts'
import type { SendMailDeps } from './send-mail.ts'
import { sendPush } from './send-push.ts'
import type { SendPushDeps } from './send-push.ts'
import { sweepNotifications } from './sweep-notifications.ts'

export interface NotificationJobsDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly log: { warn(fields: object, message: string): void }
  /** Null: nothing to send with, and nothing is queued. */
  readonly mail: Pick<SendMailDeps, 'send' | 'publicUrl'> | null
  readonly push: Pick<SendPushDeps, 'vapid' | 'post'> | null
}

const message = z.strictObject({ messageId: z.uuid() })
const SEND_TIMEOUT_SECONDS = 30
/** Over about ten hours, by the queue's schedule (e + e² + … + e¹⁰ seconds). */
const SEND_ATTEMPTS_MAX = 11

export function notificationJobs({ mail, push, ...deps }: NotificationJobsDeps): AnyJob[] {
  const limits = {
    payload: message,
    timeoutSeconds: SEND_TIMEOUT_SECONDS,
    attemptsMax: SEND_ATTEMPTS_MAX,
    priority: DELIVERY_PRIORITY,
  }
  return [
    ...(mail === null
      ? []
      : [
          defineJob({
            ...limits,
            name: MESSAGE_JOBS.mail,
            run: ({ messageId }) => sendMail({ ...deps, ...mail }, messageId),
          }),
        ]),
    ...(push === null
      ? []
      : [
          defineJob({
            ...limits,
            name: MESSAGE_JOBS.push,
            run: ({ messageId }) => sendPush({ ...deps, ...push }, messageId),
          }),
        ]),
    defineJob({
      name: 'sweep-notifications',
      payload: z.strictObject({}),
      timeoutSeconds: 600,
      attemptsMax: 3,
      run: () => sweepNotifications(deps.db, deps.clock()),
    }),
  ]
}

export const notificationSchedule: readonly ScheduleEntry[] = [
  { job: 'sweep-notifications', cron: '17 4 * * *', backfillMinutes: 1440 },
]
