import type { JournalEvent } from '@kantor/contract/events'
import { expect, test } from 'vitest'
import { noticesOf } from './read-event.ts'

const RULE = '0190c7a2-0000-7000-8000-000000000001'
const OPERATION = '0190c7a2-0000-7000-8000-000000000002'
const side = (walletId: string, amount: string) => ({
  walletId,
  amounts: [{ asset: 'EUR', amount }],
  balances: [{ asset: 'EUR', available: '1.00', reserved: '0.00' }],
})
const [payer, payee] = [side('1001', '-5.00'), side('1002', '5.00')]
const event = (kind: 'transfer' | 'conversion', rule: object | null): JournalEvent => ({
  id: OPERATION,
  version: 1,
  type: 'journal.posted',
  seq: '4096',
  at: '2026-11-22T08:00:00.000Z',
  kind,
  parties: [payer, payee],
  detail: rule === null ? null : { rule: { id: RULE, run: 2, ...rule } },
})
const executed = (ruleKind: string) => ({
  kind: 'rule_executed',
  detail: { ruleId: RULE, ruleKind, run: 2, operationId: OPERATION, amounts: payer.amounts },
})

test.each([
  ['standing-order', 'transfer', 'standingOrder'],
  ['recurring-conversion', 'conversion', 'recurringConversion'],
  ['conversion-order', 'conversion', 'limitConversion'],
] as const)('the owner of a %s is told of its run', (kind, journal, told) => {
  expect(noticesOf(event(journal, { kind }), payer, null)).toEqual([executed(told)])
})

test('who is paid by a standing order is told of the money, and not of the order', () => {
  expect(noticesOf(event('transfer', { kind: 'standing-order' }), payee, null)).toMatchObject([
    { kind: 'money_received', detail: { amount: '5.00' } },
  ])
})

test.each([
  ['no rule', null],
  ['a kind that nobody knows', { kind: 'something-newer' }],
])('of %s the payer is told nothing', (_, rule) => {
  expect(noticesOf(event('transfer', rule), payer, null)).toEqual([])
  expect(noticesOf(event('conversion', rule), payer, null)).toEqual([])
})
