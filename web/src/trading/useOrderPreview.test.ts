import type { OrderPreview, OrderRequest } from '@kantor/contract/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, shallowRef, type EffectScope } from 'vue'
import { useOrderPreview } from './useOrderPreview.ts'

const buy = (quantity: string): OrderRequest => ({
  instrument: '10001',
  side: 'buy',
  type: 'market',
  quantity,
  timeInForce: 'day',
})

let scope: EffectScope
let asked: { quantity: string | undefined; answer: () => void; refuse: () => void }[]
const wish = shallowRef<OrderRequest | null>(null)
let visible = true

beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
  asked = []
  wish.value = null
  visible = true
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function previewing() {
  const preview = (request: OrderRequest) =>
    new Promise<OrderPreview>((resolve, reject) => {
      asked.push({
        quantity: request.quantity,
        answer: () => resolve({ quantity: request.quantity } as OrderPreview),
        refuse: () => reject(new Error('refused')),
      })
    })
  const made = scope.run(() => useOrderPreview({ preview, isVisible: () => visible }, () => wish.value))
  if (made === undefined) throw new Error('the scope has ended')
  return made
}

async function want(request: OrderRequest | null, waitMs = 400) {
  wish.value = request
  await nextTick()
  await vi.advanceTimersByTimeAsync(waitMs)
}

test('asks once for what was typed in one go', async () => {
  previewing()
  await want(buy('1'), 100)
  await want(buy('12'), 100)
  await want(buy('120'))
  expect(asked.map(({ quantity }) => quantity)).toEqual(['120'])
})

test('an answer to what is no longer wanted is dropped', async () => {
  const { preview } = previewing()
  await want(buy('1'))
  await want(buy('2'))
  asked[1]?.answer()
  asked[0]?.answer()
  await vi.advanceTimersByTimeAsync(0)
  expect(preview.value?.quantity).toBe('2')
})

test('a refusal takes the figures away, and emptying the ticket takes the refusal away', async () => {
  const { preview, error } = previewing()
  await want(buy('1'))
  asked[0]?.answer()
  await want(buy('1000000'))
  asked[1]?.refuse()
  await vi.advanceTimersByTimeAsync(0)
  expect([preview.value, error.value === null]).toEqual([null, false])
  await want(null)
  expect(error.value).toBeNull()
})

test('is renewed only while it is looked at', async () => {
  previewing()
  await want(buy('1'))
  asked[0]?.answer()
  await vi.advanceTimersByTimeAsync(9_000)
  expect(asked.length).toBe(2)
  asked[1]?.answer()
  visible = false
  await vi.advanceTimersByTimeAsync(60_000)
  expect(asked.length).toBe(2)
})
