import { setImmediate as nextTurn } from 'node:timers/promises'
import { Problem } from '@kantor/contract/errors'
import { describe, expect, test } from 'vitest'
import { createBatchLookup } from './batch-lookup.ts'

/** A store whose loads take until they are let go, and that remembers what it was asked. */
function slowStore(rows: Record<string, number>) {
  const loads: string[][] = []
  const held: PromiseWithResolvers<void>[] = []
  return {
    rows,
    loads,
    letGo: () => held.shift()?.resolve(),
    load: async (keys: readonly string[]) => {
      loads.push([...keys])
      const hold = Promise.withResolvers<void>()
      held.push(hold)
      const read = new Map(Object.entries(rows).filter(([key]) => keys.includes(key)))
      await hold.promise
      return read
    },
  }
}
const BOUNDS = { loadsAtOnce: 1, keysPerLoadMax: 3, waitingMax: 4 }

describe('a batch look-up', () => {
  test('reads all keys of one turn in one load, each once', async () => {
    const store = slowStore({ a: 1, b: 2 })
    const find = createBatchLookup({ ...BOUNDS, load: store.load })
    const found = Promise.all([find('a'), find('b'), find('a'), find('c')])
    await nextTurn()
    store.letGo()
    expect(await found).toEqual([1, 2, 1, undefined])
    expect(store.loads).toEqual([['a', 'b', 'c']])
  })

  test('never answers from a load that began before the question', async () => {
    const store = slowStore({ a: 1 })
    const find = createBatchLookup({ ...BOUNDS, load: store.load })
    const early = find('a')
    await nextTurn()
    store.rows['a'] = 2
    const late = find('a')
    store.letGo()
    expect(await early).toBe(1)
    await nextTurn()
    store.letGo()
    expect(await late).toBe(2)
  })

  test('gathers those who come while a load is under way, within its bounds', async () => {
    const store = slowStore({})
    const find = createBatchLookup({ ...BOUNDS, load: store.load })
    const all = [find('first')]
    await nextTurn()
    all.push(...['a', 'b', 'c', 'd'].map(find))
    await expect(async () => find('one too many')).rejects.toThrow(Problem)
    for (let load = 0; load < 3; load += 1) {
      await nextTurn()
      store.letGo()
      await nextTurn()
    }
    await Promise.all(all)
    expect(store.loads).toEqual([['first'], ['a', 'b', 'c'], ['d']])
  })

  test('tells everybody of a failed load, and goes on', async () => {
    let broken = true
    const find = createBatchLookup<number>({
      ...BOUNDS,
      load: async (keys) => {
        if (broken) throw new Error('no database')
        return new Map(keys.map((key) => [key, 7]))
      },
    })
    const failed = await Promise.allSettled([find('a'), find('b')])
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    broken = false
    expect(await find('a')).toBe(7)
  })
})
