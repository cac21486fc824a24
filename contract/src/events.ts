import { z } from 'zod'
import { OPERATION_KINDS } from './api/history.ts'
import { amountText, assetCode, id, signedMoney, timestamp } from './api/shared.ts'

/**
 * What our servers tell each other of a journal, over the broker or within a process. Never sent to a customer as it
 * is: it names every party. Any change of this shape, an added field too, is a new version, since a consumer of the
 * release before refuses what it does not know.
 */
export const JOURNAL_EVENT_VERSION = 1
export const JOURNAL_POSTED = 'journal.posted'

const wholeNumber = z.string().regex(/^(?:0|[1-9][0-9]{0,18})$/)

/** One customer's wallet that the journal touched. */
export const eventParty = z.strictObject({
  walletId: wholeNumber,
  /** What the journal moved as the wallet's owner sees it, by the rule of `GET /operations`. */
  amounts: z.array(signedMoney),
  /** Of every asset whose accounts moved: what they held right after this journal, pockets apart. */
  balances: z.array(z.strictObject({ asset: assetCode, available: amountText, reserved: amountText })),
})
export type EventParty = z.infer<typeof eventParty>

export const journalEvent = z.strictObject({
  /** The journal's public id. */
  id,
  version: z.literal(JOURNAL_EVENT_VERSION),
  type: z.literal(JOURNAL_POSTED),
  /** The journal's place in the ledger; events come in its order. */
  seq: wholeNumber,
  /** When the ledger recorded it. */
  at: timestamp,
  kind: z.enum(OPERATION_KINDS),
  /** Never empty: a journal that touches no customer is no event. */
  parties: z.array(eventParty).min(1),
  detail: z.record(z.string(), z.json()).nullable(),
})
export type JournalEvent = z.infer<typeof journalEvent>
