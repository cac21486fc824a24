import { z } from 'zod'
import { amountText, assetCode, personText } from './shared.ts'
import { ruleSchedule, ruleState, ruleSwitch } from './rules.ts'
import { payee, transferRequest } from './transfers.ts'

/** Transfers on a date, or again and again. */

export const standingOrderRequest = transferRequest.extend({ schedule: ruleSchedule })
export type StandingOrderRequest = z.infer<typeof standingOrderRequest>

/** To whom and in what stay: another payee is another standing order. An empty note takes it away. */
export const standingOrderChange = z.strictObject({
  ...ruleSwitch,
  amount: amountText.optional(),
  note: personText(140).optional(),
  schedule: ruleSchedule.optional(),
})
export type StandingOrderChange = z.infer<typeof standingOrderChange>

export const standingOrder = z.strictObject({
  ...ruleState,
  /** As they are called now: the money goes to the person that was chosen, whoever has the handle later. */
  to: payee,
  asset: assetCode,
  amount: amountText,
  note: z.string().nullable(),
  schedule: ruleSchedule,
})
export type StandingOrder = z.infer<typeof standingOrder>
