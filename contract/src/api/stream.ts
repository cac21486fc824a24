import { z } from 'zod'
import { operationKind } from './history.ts'
import { rate, stockPrice } from './market-data.ts'
import { notice } from './notifications.ts'
import { amountText, assetCode, id, signedMoney, timestamp } from './shared.ts'
import { instrumentRef, order } from './trading.ts'

export const STREAM_INSTRUMENTS_MAX = 60
export const STREAM_PAIRS_MAX = 40

const listOf = <Item extends z.ZodType<string, string>>(item: Item, most: number) =>
  z
    .string()
    .transform((text) => text.split(','))
    .pipe(
      z
        .array(item)
        .max(most, `must be at most ${most}, separated by commas`)
        .refine((items) => new Set(items).size === items.length, 'must name each once'),
    )

/** Where a client is: `<seq of the last operation>.<place of the last notice>`. To be handed back, not read. */
export const streamPosition = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,17})\.(?:0|[1-9][0-9]{0,17})$/, 'must be the id of an event of this stream')

export const streamQuery = z.strictObject({
  /** Ids or tickers of which prices are wanted. */
  instruments: listOf(instrumentRef, STREAM_INSTRUMENTS_MAX).optional(),
  /** Pairs of which rates are wanted: `EUR/PLN`. */
  pairs: listOf(
    z.string().regex(/^[A-Z0-9]{3,5}\/[A-Z0-9]{3,5}$/, 'must be a pair such as EUR/PLN'),
    STREAM_PAIRS_MAX,
  ).optional(),
  /** What a program that connects anew says instead of the header `Last-Event-ID`, which goes before it. */
  after: streamPosition.optional(),
})
export type StreamQuery = z.infer<typeof streamQuery>

/** By name, what each event's data is. A release may add events and optional fields; clients skip what they do not know. */
export const streamEvents = {
  /** The first. What is read over REST after it is at least as new as the position that its id names. */
  hello: z.strictObject({ at: timestamp, resumed: z.boolean() }),
  /**
   * What was missed will not be told: read everything anew. `unknown_id`: no such position is known here; `too_much`:
   * more happened since than is replayed.
   */
  reset: z.strictObject({ reason: z.enum(['unknown_id', 'too_much']) }),
  /** Once each, in the ledger's order. Comes after the `order` and `balances` that it led to. */
  operation: z.strictObject({
    id,
    kind: operationKind,
    at: timestamp,
    amounts: z.array(signedMoney),
    /** Of a reserve, a trade or a release. */
    orderId: id.optional(),
  }),
  /** Of the assets that an operation moved, as they were right after it. */
  balances: z.strictObject({
    balances: z.array(z.strictObject({ asset: assetCode, available: amountText, reserved: amountText })),
  }),
  /** As it is now. */
  order,
  /** Its age is not said: `asOf` is. */
  price: stockPrice.omit({ ageSeconds: true }).extend({ instrument: z.string(), ticker: z.string() }),
  rate: rate.omit({ ageSeconds: true }).extend({ base: assetCode }),
  notice,
} as const satisfies Record<string, z.ZodType>

export type StreamEventName = keyof typeof streamEvents
export type StreamEventData<Name extends StreamEventName> = z.infer<(typeof streamEvents)[Name]>
