import { JOURNAL_EVENT_VERSION, journalEvent, type JournalEvent } from '@kantor/contract/events'
import type { AsyncMessage, Envelope } from 'rabbitmq-client'
import { z } from 'zod'

/** An event as the broker carries it. Its headers are of every version; its body is of the version they name. */
export interface StreamMessage {
  readonly seq: bigint
  /** What lies between this seq and the message's is no event: who has seen everything up to it misses nothing. */
  readonly after: bigint
  /** Null when this release cannot read it, and why. */
  readonly event: JournalEvent | null
  readonly refusal?: string
}

/** The ledger's bounds make an event of about 30 KiB at most: 64 postings and 16 KiB of detail. */
const BODY_BYTES_MAX = 131_072

const seqText = z.string().regex(/^(?:0|[1-9][0-9]{0,18})$/)
const headersSchema = z.object({ seq: seqText, after: seqText, version: z.number().int().positive() })

export function envelopeOf(event: JournalEvent, after: bigint, exchange: string): Envelope {
  return {
    exchange,
    routingKey: `journal.${event.kind}`,
    durable: true,
    messageId: event.id,
    type: event.type,
    // With an encoding named, the library leaves the body alone, and its size is looked at before it is parsed.
    contentType: 'application/json',
    contentEncoding: 'utf-8',
    headers: { seq: event.seq, after: String(after), version: event.version },
  }
}

export function bodyOf(event: JournalEvent): Buffer {
  return Buffer.from(JSON.stringify(event))
}

/** Null for a message that is none of ours: without its headers nobody can say where it belongs. */
export function readMessage({ headers, body }: Pick<AsyncMessage, 'headers' | 'body'>): StreamMessage | null {
  const read = headersSchema.safeParse(headers)
  if (!read.success) return null
  const place = { seq: BigInt(read.data.seq), after: BigInt(read.data.after) }
  const { version } = read.data
  if (version !== JOURNAL_EVENT_VERSION) {
    return { ...place, event: null, refusal: `version ${version} of an event is not known to this release` }
  }
  const event = parseBody(body)
  if (event === null || event.seq !== read.data.seq)
    return { ...place, event: null, refusal: `the body is no event of version ${version}` }
  return { ...place, event }
}

function parseBody(body: unknown): JournalEvent | null {
  if (!Buffer.isBuffer(body) || body.length > BODY_BYTES_MAX) return null
  try {
    return journalEvent.safeParse(JSON.parse(body.toString())).data ?? null
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}

/** Of a message that is none of ours, for whoever looks at it. */
export function textOf(body: unknown): string {
  if (Buffer.isBuffer(body)) return body.subarray(0, BODY_BYTES_MAX).toString()
  return typeof body === 'string' ? body : (JSON.stringify(body) ?? '')
}
