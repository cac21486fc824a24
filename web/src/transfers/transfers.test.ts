import type { Operation, Payee } from '@kantor/contract/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { recentPayees } from './recent-payees.ts'
import { usePayeeSearch } from './usePayeeSearch.ts'

let scope: EffectScope
beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

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

test('a search waits for typing to rest, and an overtaken answer is dropped', async () => {
  const asked: string[] = []
  const replies: ((found: { items: Payee[] }) => void)[] = []
  const find = (q: string) => {
    asked.push(q)
    return new Promise<{ items: Payee[] }>((resolve) => replies.push(resolve))
  }
  const search = scope.run(() => usePayeeSearch(find))
  if (search === undefined) throw new Error('the scope is stopped')
  search.q.value = '@e'
  await vi.advanceTimersByTimeAsync(1000)
  expect([asked, search.state.value]).toEqual([[], 'idle'])
  search.q.value = '@ed'
  await vi.advanceTimersByTimeAsync(1000)
  search.q.value = '@edek'
  await vi.advanceTimersByTimeAsync(1000)
  expect(asked).toEqual(['@ed', '@edek'])
  replies[1]?.({ items: [payee('edek')] })
  replies[0]?.({ items: [payee('edyta')] })
  await vi.advanceTimersByTimeAsync(1)
  expect(search.found.value).toEqual([payee('edek')])
})
