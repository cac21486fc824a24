import type { Operation, Payee } from '@kantor/contract/api'
import { expect, test } from 'vitest'
import { namesAPayee } from './payee-name.ts'
import { recentPayees } from './recent-payees.ts'

const payee = (handle: string): Payee => ({ handle, name: handle })

test('recent payees are each listed once, newest first', () => {
  const operation = (handle?: string): Operation => ({
    id: '',
    kind: 'transfer',
    status: 'posted',
    at: '',
    amounts: [],
    ...(handle !== undefined && { counterparty: payee(handle) }),
  })
  const handles = recentPayees(['edek', 'ala', undefined, 'edek', 'ola'].map(operation)).map(
    ({ handle }) => handle,
  )
  expect(handles).toEqual(['edek', 'ala', 'ola'])
})

test.each([
  ['', false],
  ['@e', false],
  ['ed', true],
  ['@ed', true],
])('%j names a payee: %s', (typed, enough) => {
  expect(namesAPayee(typed)).toBe(enough)
})
