import { amountText, assetCode, decimalText, id, RULE_KINDS_TOLD } from '@kantor/contract/api'
import type { NoticeContent } from '@kantor/contract/api'
import type { EventParty, JournalEvent } from '@kantor/contract/events'
import { z } from 'zod'
import type { WebhookSaying } from './webhook-messages.ts'

// What an event says to one of its parties: pure, and of that party's own side only.

const side = z.enum(['buy', 'sell'])
/** What trading writes into the details of `reserve`, `trade` and `release`; those of others have no order. */
const ofOrder = z.object({ orderId: id, instrument: assetCode, side })
const ofTrade = ofOrder.extend({ quantity: amountText, price: decimalText, priceCurrency: assetCode })
/** A release, and the trade with which an order ended. */
const ofEnd = ofOrder.extend({ status: z.string(), reason: z.string().nullable() })
const ofDividend = z.object({ instrument: assetCode, exDate: z.string() })
const ofSplit = ofDividend.extend({ from: decimalText, to: decimalText })
const ofTransfer = z.object({ note: z.string().optional() })
/** What the rules room's `markOf` writes. */
const ofRule = z.object({
  rule: z.object({ id, kind: z.string(), run: z.int().positive() }),
})

/** What the party's receivers are told, in this order. */
export function sayingsOf(event: JournalEvent, party: EventParty): WebhookSaying[] {
  const { id: operationId, seq, kind } = event
  const { amounts, balances } = party
  const posted = { type: 'operation.posted', data: { operationId, seq, kind, amounts, balances } } as const
  return [posted, ...orderSayingsOf(event)]
}

function orderSayingsOf({ id: operationId, seq, kind, detail }: JournalEvent): WebhookSaying[] {
  if (kind === 'reserve') {
    const said = ofOrder.safeParse(detail)
    return said.success ? [{ type: 'order.accepted', data: { ...said.data, seq } }] : []
  }
  if (kind !== 'trade' && kind !== 'release') return []
  const [filled, ended] = [ofTrade.safeParse(detail), ofEnd.safeParse(detail)]
  return [
    ...(kind === 'trade' && filled.success
      ? [{ type: 'order.filled', data: { ...filled.data, seq, operationId } } as const]
      : []),
    ...(ended.success ? [{ type: 'order.ended', data: { ...ended.data, seq } } as const] : []),
  ]
}

/** Who sent it, as the payee may see them; null when nobody is known. */
export type Sender = { readonly handle: string; readonly name: string } | null

/** What the party's owner is told in words; nothing when it was their own doing, or says nothing new. */
export function noticesOf(event: JournalEvent, party: EventParty, sender: Sender): NoticeContent[] {
  const notices = [noticeOf(event, party, sender), endOf(event)]
  return notices.filter((notice) => notice !== null)
}

function noticeOf(event: JournalEvent, party: EventParty, sender: Sender): NoticeContent | null {
  const { id: operationId, kind, detail } = event
  if (kind === 'transfer') return ruleRunOf(event, party) ?? receivedOf(event, party, sender)
  if (kind === 'conversion') return ruleRunOf(event, party)
  if (kind === 'trade') {
    const said = ofTrade.safeParse(detail)
    return said.success ? { kind: 'order_filled', detail: { ...said.data, operationId } } : null
  }
  if (kind === 'dividend') {
    const said = ofDividend.safeParse(detail)
    const received = arrived(party)
    return said.success && received !== null
      ? { kind: 'dividend', detail: { ...said.data, ...received, operationId } }
      : null
  }
  if (kind === 'split') {
    const said = ofSplit.safeParse(detail)
    return said.success ? { kind: 'corporate_action', detail: { ...said.data, operationId } } : null
  }
  return null
}

/** Of a rule of one's own: who is paid by it has nothing that went out. */
function ruleRunOf({ id: operationId, detail }: JournalEvent, { amounts }: EventParty): NoticeContent | null {
  const said = ofRule.safeParse(detail)
  if (!said.success || !amounts.some(({ amount }) => amount.startsWith('-'))) return null
  const { id: ruleId, kind, run } = said.data.rule
  const told = Object.entries(RULE_KINDS_TOLD).find(([name]) => name === kind)?.[1]
  if (told === undefined) return null
  return {
    kind: 'rule_executed',
    detail: { ruleId, ruleKind: told, run, operationId, amounts: [...amounts] },
  }
}

/** That an order ended, by its last fill or without one. */
function endOf({ kind, detail }: JournalEvent): NoticeContent | null {
  if (kind !== 'trade' && kind !== 'release') return null
  const said = ofEnd.safeParse(detail)
  return said.success && isNews(said.data) ? { kind: 'order_ended', detail: said.data } : null
}

function receivedOf(
  { id: operationId, detail }: JournalEvent,
  party: EventParty,
  from: Sender,
): NoticeContent | null {
  const received = arrived(party)
  if (received === null) return null
  const note = ofTransfer.safeParse(detail).data?.note ?? null
  return { kind: 'money_received', detail: { ...received, operationId, from, note } }
}

/** The first amount that came in; null when nothing did. */
function arrived({ amounts }: EventParty): { asset: string; amount: string } | null {
  const found = amounts.find(({ amount }) => !amount.startsWith('-'))
  return found === undefined ? null : { asset: found.asset, amount: found.amount }
}

/** An order that was filled was told of with its fill, and who cancels knows it. */
const isNews = ({ status, reason }: { status: string; reason: string | null }) =>
  status !== 'filled' && reason !== 'byCustomer'
