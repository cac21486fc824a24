import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { effectScope, nextTick, type EffectScope } from 'vue'
import { useTypedSearch } from './useTypedSearch.ts'

let scope: EffectScope
const asked: { q: string; answer: (tickers: string[]) => void; fail: () => void }[] = []

beforeEach(() => {
  vi.useFakeTimers()
  scope = effectScope()
  asked.length = 0
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function searching() {
  const made = scope.run(() =>
    useTypedSearch<string>(
      (q) =>
        new Promise((resolve, reject) => {
          asked.push({
            q,
            answer: (tickers) => resolve({ items: tickers }),
            fail: () => reject(new Error('no answer')),
          })
        }),
    ),
  )
  if (made === undefined) throw new Error('the scope has ended')
  return made
}

async function type(search: ReturnType<typeof searching>, text: string) {
  search.q.value = text
  await nextTick()
  await vi.advanceTimersByTimeAsync(200)
}

test('asks once for what is typed in one go, and not for blanks', async () => {
  const search = searching()
  for (const text of ['a', 'aa', 'aap']) {
    search.q.value = text
    await nextTick()
  }
  await vi.advanceTimersByTimeAsync(200)
  expect(asked.map(({ q }) => q)).toEqual(['aap'])
  await type(search, '   ')
  expect([asked.length, search.state.value]).toEqual([1, 'idle'])
})

test('an answer that was overtaken is dropped', async () => {
  const search = searching()
  await type(search, 'a')
  await type(search, 'aapl')
  asked[1]?.answer(['AAPL'])
  asked[0]?.answer(['A', 'AA'])
  await vi.advanceTimersByTimeAsync(0)
  expect(search.found.value).toEqual(['AAPL'])
})

test('a failure is said, and asked again', async () => {
  const search = searching()
  await type(search, 'msft')
  asked[0]?.fail()
  await vi.advanceTimersByTimeAsync(0)
  expect(search.state.value).toBe('failed')
  search.retry()
  await vi.advanceTimersByTimeAsync(200)
  asked[1]?.answer(['MSFT'])
  await vi.advanceTimersByTimeAsync(0)
  expect(search.state.value).toBe('done')
})
