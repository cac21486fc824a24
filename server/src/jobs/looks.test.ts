import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLooks } from './looks.ts'

beforeEach(() => vi.useFakeTimers())
afterEach(() => vi.useRealTimers())

function looking() {
  const ends: { resolve(): void; reject(error: Error): void }[] = []
  const failures: unknown[] = []
  const looks = createLooks({
    look: () => new Promise<void>((resolve, reject) => ends.push({ resolve, reject })),
    everyMs: 1_000,
    retryMs: 5_000,
    onFailure: (error) => failures.push(error),
  })
  return { looks, ends, failures }
}

test('it looks one at a time, and once more at once if woken meanwhile', async () => {
  const { looks, ends } = looking()
  looks.wake()
  await vi.advanceTimersByTimeAsync(10_000)
  expect(ends).toHaveLength(0)
  looks.start()
  await vi.advanceTimersByTimeAsync(10_000)
  looks.wake()
  looks.wake()
  expect(ends).toHaveLength(1)
  ends[0]?.resolve()
  await vi.advanceTimersByTimeAsync(0)
  expect(ends).toHaveLength(2)
  ends[1]?.resolve()
  await vi.advanceTimersByTimeAsync(999)
  expect(ends).toHaveLength(2)
  await vi.advanceTimersByTimeAsync(1)
  expect(ends).toHaveLength(3)
})

test('a look that fails is told of and tried again later, and none begins once it is stopped', async () => {
  const { looks, ends, failures } = looking()
  looks.start()
  await vi.advanceTimersByTimeAsync(0)
  ends[0]?.reject(new Error('no luck'))
  await vi.advanceTimersByTimeAsync(4_999)
  expect([ends.length, failures.length]).toEqual([1, 1])
  await vi.advanceTimersByTimeAsync(1)
  expect(ends).toHaveLength(2)
  const stopped = vi.fn()
  const stopping = looks.stop().then(stopped)
  await vi.advanceTimersByTimeAsync(0)
  expect(stopped).not.toHaveBeenCalled()
  ends[1]?.resolve()
  await stopping
  await vi.advanceTimersByTimeAsync(60_000)
  expect(ends).toHaveLength(2)
})
