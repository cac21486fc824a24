import { setTimeout as sleep } from 'node:timers/promises'
import { openDatabase } from '#db'
import { auditLedger } from '#test/auditor'
import type { Customer } from '#test/money-fixture'
import { auditRules } from '#test/rules-auditor'
import { rulesFixture } from '#test/rules-fixture'
import { seededRandom } from '#test/seeded-random'
import type { SeededRandom } from '#test/seeded-random'
import { expect, test } from 'vitest'

const fixture = await rulesFixture()
const { ask, clock, customer, make, ownerDb, publishRates, url } = fixture

const WORKERS = 3
const STEPS = 35
const HOUR_MS = 3_600_000
/** Some of them change their clocks during the workload, which begins in September. */
const ZONES = ['UTC', 'Europe/Warsaw', 'America/New_York', 'Australia/Lord_Howe']

/** Each with connections of its own, as another process has. */
function openWorkers(random: SeededRandom) {
  return Array.from({ length: WORKERS }, (_, index) => {
    const name = `rules-worker-${index}`
    const db = openDatabase({ url, connectionsMax: 5, applicationName: name, random: random.next })
    return { db, scheduler: fixture.scheduler({ db, random: random.next }) }
  })
}

async function killSomebody(random: SeededRandom): Promise<number> {
  await sleep(random.int(0, 40))
  const { rows } = await ownerDb.query<{ killed: boolean }>(
    `select pg_terminate_backend(pid) as killed from (
       select pid from pg_stat_activity
        where application_name like 'rules-worker-%' and datname = current_database() and state <> 'idle'
        order by pid limit 2) as busy`,
  )
  return rows.length
}

function someSchedule(random: SeededRandom): Record<string, unknown> {
  const at = random.pick(['00:00', '01:30', '02:00', '09:00', '23:30'])
  const timeZone = random.pick(ZONES)
  if (random.next() < 0.6) return { repeat: 'weekly', weekday: random.int(1, 7), at, timeZone }
  return { repeat: 'monthly', day: random.pick([1, 15, 28, 29, 30, 31]), at, timeZone }
}

async function makeSomeRule(random: SeededRandom, people: readonly Customer[]): Promise<void> {
  const owner = random.pick(people)
  const amount = `${random.int(1, 40)}.${String(random.int(0, 99)).padStart(2, '0')}`
  const kind = random.next()
  if (kind < 0.5) {
    const payee = random.pick(people.filter((each) => each !== owner))
    const body = { to: payee.handle, asset: 'EUR', amount, schedule: someSchedule(random) }
    await make(owner, '/standing-orders', body)
  } else if (kind < 0.75) {
    const body = { from: 'EUR', to: 'PLN', fromAmount: amount, schedule: someSchedule(random) }
    await make(owner, '/recurring-conversions', body)
  } else {
    const limit = { base: 'EUR', rate: `4.${random.int(10, 50)}` }
    await make(owner, '/conversion-orders', { from: 'EUR', to: 'PLN', fromAmount: amount, limit })
  }
}

async function resumeSomething(random: SeededRandom, people: readonly Customer[]): Promise<void> {
  const owner = random.pick(people)
  const { body } = await ask(owner, 'GET', '/conversion-orders?status=open')
  for (const rule of body['items'] as { id: string; status: string }[]) {
    const status = rule.status === 'paused' ? 'active' : 'paused'
    await ask(owner, 'PATCH', `/conversion-orders/${rule.id}`, { body: { status } })
  }
}

test('whatever is killed and wherever clocks jump, each due run is executed once or refused with its reason', async () => {
  const random = seededRandom()
  clock.set('2026-09-20T10:00:00Z')
  let [furthest, killed] = [clock.now().getTime(), 0]
  const people: Customer[] = []
  for (let index = 0; index < 8; index += 1)
    people.push(await customer(`payer${index}`, { EUR: `${random.int(50, 600)}.00` }))
  await publishRates({ PLN: '4.20' })
  const workers = openWorkers(random)

  for (let step = 0; step < STEPS; step += 1) {
    const jump =
      random.next() < 0.2
        ? -random.int(1, 30 * HOUR_MS)
        : random.next() < 0.1
          ? random.int(8 * 24 * HOUR_MS, 20 * 24 * HOUR_MS)
          : random.int(1, 60 * HOUR_MS)
    clock.advance(jump)
    furthest = Math.max(furthest, clock.now().getTime())
    if (random.next() < 0.8) await publishRates({ PLN: `4.${random.int(10, 55)}${random.int(0, 9)}` })
    for (let index = random.int(0, 3); index > 0; index -= 1) await makeSomeRule(random, people)
    if (random.next() < 0.3) await resumeSomething(random, people)
    const looks = workers.map(({ scheduler }) =>
      // A look that loses its connection is over; the next one goes on.
      scheduler.runOnce().catch(() => 0),
    )
    if (random.next() < 0.7) killed += await killSomebody(random)
    await Promise.all(looks)
  }
  furthest += 1
  clock.set(new Date(furthest))
  await publishRates({ PLN: '4.30' })
  let moved = 1
  for (let look = 0; look < 20 && moved > 0; look += 1) {
    moved = 0
    for (const { scheduler } of workers) moved += await scheduler.runOnce()
  }
  expect(moved).toBe(0)

  const audit = await auditRules(ownerDb, new Date(furthest))
  expect(audit.wrong, `seed ${random.seed}, ${killed} killed, ${JSON.stringify(audit.counts)}`).toEqual([])
  expect(await auditLedger(ownerDb)).toEqual([])
  expect(audit.counts.done, 'enough was done to tell').toBeGreaterThan(50)
  for (const { db } of workers) await db.close()
})
