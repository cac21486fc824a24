import { PiniaColada, useQuery, useQueryCache } from '@pinia/colada'
import { createPinia } from 'pinia'
import { expect, test } from 'vitest'
import { createApp, effectScope } from 'vue'
import { readAnew } from './read-anew.ts'

test('what cannot be read anew is told by what shows it, and nobody else hears of it', async () => {
  const unheard: unknown[] = []
  const note = (reason: unknown) => unheard.push(reason)
  process.on('unhandledRejection', note)
  const app = createApp({}).use(createPinia()).use(PiniaColada)
  const scope = effectScope()
  let isAway = false
  const query = app.runWithContext(() =>
    scope.run(() =>
      useQuery({
        key: ['wallet'],
        query: () => (isAway ? Promise.reject(new Error('offline')) : Promise.resolve('10.00')),
      }),
    ),
  )
  await query?.refresh()
  isAway = true
  readAnew(
    app.runWithContext(() => useQueryCache()),
    { key: ['wallet'] },
  )
  await expect.poll(() => query?.error.value?.message).toBe('offline')
  expect(query?.data.value).toBe('10.00')
  await new Promise((resolve) => setImmediate(resolve))
  expect(unheard).toEqual([])
  process.off('unhandledRejection', note)
  scope.stop()
})
