import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { openDatabase } from '#db'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { requestBudget, type RequestBudget } from './request-budget.ts'

const FREE = { requestsMax: 5, windowSeconds: 60 }
const NAME = 'polygon:0123456789abcdef'
const { db, ownerDb, url } = await testDatabase()
const otherDb = openDatabase({ url, connectionsMax: 4, applicationName: 'other', random: Math.random })
const never = new AbortController().signal

let clock = fakeClock('2026-11-20T15:00:00Z')
let sleepers: { until: number; wake: () => void }[] = []
beforeEach(async () => {
  clock = fakeClock('2026-11-20T15:00:00Z')
  sleepers = []
  await ownerDb.query('truncate market_data.provider_budgets')
})
afterAll(() => otherDb.close())

/** Sleeps on the fake clock. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    sleepers.push({ until: clock.now().getTime() + ms, wake: resolve })
    signal.addEventListener('abort', () => reject(signal.reason as Error))
  })
}

const budgetOn = (database: typeof db, firstPlan = FREE): RequestBudget =>
  requestBudget({ db: database, name: NAME, firstPlan, clock: clock.now, sleep })

async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    clock.advance(1000)
    const due = sleepers.filter(({ until }) => until <= clock.now().getTime())
    sleepers = sleepers.filter((sleeper) => !due.includes(sleeper))
    for (const { wake } of due) wake()
    if (due.length > 0) await settle()
  }
}

/** Until both pools have been quiet for some turns. */
async function settle(): Promise<void> {
  for (let quiet = 0; quiet < 5; quiet += 1) {
    await pause(2)
    const idle = [db, otherDb].every(
      ({ pool }) => pool.waitingCount === 0 && pool.idleCount === pool.totalCount,
    )
    if (!idle) quiet = 0
  }
}

test('two processes together never send more than five in any minute and never fewer than they may', async () => {
  const sentAt: number[] = []
  const processes = [budgetOn(db), budgetOn(otherDb)]
  const asking = Array.from({ length: 40 }, async (_, index) => {
    await processes[index % 2]?.take({ signal: never, waitSecondsMax: 3600 })
    sentAt.push(clock.now().getTime())
  })
  await settle()
  expect(sentAt).toHaveLength(5)
  await pass(480)
  await Promise.all(asking)
  expect(sentAt).toHaveLength(40)
  for (const from of sentAt) {
    expect(sentAt.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(5)
  }
  // Nothing is held back either: 40 requests at 5 a minute are over when the eighth minute begins.
  expect((sentAt.at(-1) ?? 0) - (sentAt[0] ?? 0)).toBe(420_000)
})

test('who wakes late is counted when it sends, and those after it wait a little longer', async () => {
  const sentAt: number[] = []
  const budget = budgetOn(db)
  const asking = Array.from({ length: 20 }, async () => {
    await budget.take({ signal: never, waitSecondsMax: 3600 })
    sentAt.push(clock.now().getTime())
  })
  await settle()
  // The process stands still for 40 seconds when the first of those who wait are due.
  clock.advance(99_000)
  await pass(300)
  await Promise.all(asking)
  expect(sentAt).toHaveLength(20)
  for (const from of sentAt) {
    expect(sentAt.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(5)
  }
})

test('who would have to wait too long is turned away at once, and takes nothing', async () => {
  const budget = budgetOn(db)
  for (let request = 0; request < 5; request += 1) await budget.take({ signal: never, waitSecondsMax: 0 })
  clock.advance(20_000)
  await expect(budget.take({ signal: never, waitSecondsMax: 39 })).rejects.toMatchObject({
    kind: 'rate_limited',
    code: 'budget',
    retryAfterSeconds: 40,
  })
  clock.advance(40_000)
  for (let request = 0; request < 5; request += 1) await budget.take({ signal: never, waitSecondsMax: 0 })
  const { rows } = await db.query('select granted, turned_away from market_data.provider_budgets')
  expect(rows).toEqual([{ granted: 10n, turned_away: 1n }])
})

test('who may not wait at all gets a request that is left, however long asking for it takes', async () => {
  // Each look at the clock is later than the one before, as on a real one.
  const ticking = () => {
    clock.advance(3)
    return clock.now()
  }
  const budget = requestBudget({ db, name: NAME, firstPlan: FREE, clock: ticking, sleep })
  const call = { signal: never, waitSecondsMax: 0 }
  for (let taken = 0; taken < FREE.requestsMax; taken += 1) await budget.take(call)
  await expect(budget.take(call)).rejects.toMatchObject({ code: 'budget' })
})

test('who gives up waiting gives the turn back', async () => {
  const budget = budgetOn(db)
  for (let request = 0; request < 5; request += 1) await budget.take({ signal: never, waitSecondsMax: 0 })
  const stopping = new AbortController()
  const waiting = budget.take({ signal: stopping.signal, waitSecondsMax: 100 })
  const refused = expect(waiting).rejects.toMatchObject({ kind: 'transient', code: 'stopped' })
  await settle()
  stopping.abort()
  await refused
  clock.advance(60_000)
  for (let request = 0; request < 5; request += 1) await budget.take({ signal: never, waitSecondsMax: 0 })
  await expect(budget.take({ signal: never, waitSecondsMax: 0 })).rejects.toMatchObject({ code: 'budget' })
})

test('"too many" stops every process for as long as was said, also those who had their turn coming', async () => {
  const [budget, other] = [budgetOn(db), budgetOn(otherDb)]
  for (let request = 0; request < 5; request += 1) await budget.take({ signal: never, waitSecondsMax: 0 })
  let sentAt = 0
  const waiting = other.take({ signal: never, waitSecondsMax: 300 }).then(() => {
    sentAt = clock.now().getTime()
  })
  await settle()
  const until = await budget.block(90)
  await expect(other.take({ signal: never, waitSecondsMax: 80 })).rejects.toMatchObject({ code: 'budget' })
  await pass(120)
  await waiting
  expect(sentAt).toBeGreaterThanOrEqual(until.getTime())
})

test('"too many" without a time pauses longer each time, until an answer comes', async () => {
  const budget = budgetOn(db)
  const pauses: number[] = []
  const block = async () => {
    pauses.push(((await budget.block(null)).getTime() - clock.now().getTime()) / 1000)
    clock.advance(3_600_000)
  }
  for (let times = 0; times < 5; times += 1) await block()
  await budget.unblock()
  await block()
  expect(pauses).toEqual([60, 120, 300, 900, 900, 60])
})

test('a plan that is found is the plan of all processes, and a smaller one begins empty', async () => {
  const [budget, other] = [budgetOn(db), budgetOn(otherDb)]
  await budget.setPlan({ requestsMax: 20, windowSeconds: 10 })
  for (let request = 0; request < 20; request += 1) await other.take({ signal: never, waitSecondsMax: 0 })
  clock.advance(10_000)
  for (let request = 0; request < 20; request += 1) await other.take({ signal: never, waitSecondsMax: 0 })
  clock.advance(20_000)
  await other.setPlan(FREE)
  await expect(budget.take({ signal: never, waitSecondsMax: 59 })).rejects.toMatchObject({ code: 'budget' })
  clock.advance(60_000)
  await budget.take({ signal: never, waitSecondsMax: 0 })
})
