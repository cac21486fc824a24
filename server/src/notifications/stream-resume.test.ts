import type { TestEventSource } from '#test/event-source'
import { seededRandom } from '#test/seeded-random'
import { expect, test } from 'vitest'
import { is, streamFixture, type Person } from './stream-fixture.ts'

const { apps, person, ask, send, open } = await streamFixture()
const { ownerDb } = apps[0].database

const PEOPLE = 6
const TRANSFERS = 600
const SENDERS_AT_ONCE = 12

/** One person's device on a bad line: what it was told in all, over however many connections. */
class Device {
  readonly told: TestEventSource['events'] = []
  /** The last id that a whole event brought. */
  lastId: string | undefined
  connections = 0
  private stream: TestEventSource | null = null
  readonly owner: Person

  constructor(owner: Person) {
    this.owner = owner
  }

  async connect(replica: 0 | 1): Promise<void> {
    const headers = this.lastId === undefined ? {} : { 'last-event-id': this.lastId }
    const stream = await open(this.owner, { replica, headers })
    // A replica that drains refuses.
    if (stream.status !== 200) {
      stream.cut()
      if (replica === 1) await this.connect(0)
      return
    }
    this.stream = stream
    this.connections += 1
  }

  /** In the middle of whatever is under way; what came in whole before counts. */
  cut(): void {
    this.stream?.cut()
    this.collect()
    this.stream = null
  }

  collect(): void {
    for (const event of this.stream?.events.splice(0) ?? []) {
      this.told.push(event)
      this.lastId = event.id ?? this.lastId
    }
  }
}

test('over a random workload with cuts, two replicas and a drain, each wallet is told its journals once and in order', async () => {
  const random = seededRandom()
  const people = await Promise.all(Array.from({ length: PEOPLE }, (_, n) => person(`person_${n}`)))
  const devices = people.map((owner) => new Device(owner))
  await Promise.all(devices.map((device, n) => device.connect(n % 2 === 0 ? 0 : 1)))
  const greeted = () => {
    for (const device of devices) device.collect()
    return devices.filter(({ lastId }) => lastId === undefined)
  }
  await expect.poll(greeted).toEqual([])
  const began = devices.map(({ lastId }) => BigInt(lastId?.split('.')[0] ?? 0))

  const work = { left: TRANSFERS }
  const sender = async () => {
    while (work.left > 0) {
      work.left -= 1
      const [from, to] = [random.pick(people), random.pick(people)]
      if (from !== to)
        await send(from, to, `${random.int(1, 99)}.${random.int(10, 99)}`, random.pick(['EUR', 'USD']))
    }
  }
  const breaker = async () => {
    while (work.left > 0) {
      const device = random.pick(devices)
      device.cut()
      if (work.left < TRANSFERS / 3) apps[1].drain()
      await device.connect(random.next() < 0.5 ? 0 : 1)
    }
  }
  await Promise.all([...Array.from({ length: SENDERS_AT_ONCE }, sender), breaker()])
  for (const device of devices) device.cut()
  await Promise.all(devices.map((device) => device.connect(0)))

  for (const [n, device] of devices.entries()) {
    const { walletId } = device.owner
    const { rows } = await ownerDb.query<{ seq: bigint }>(
      `select distinct seq from ledger.entries where account_id >> 27 = $1 and seq > $2 order by seq`,
      [walletId, began[n]],
    )
    const told = () => {
      device.collect()
      return device.told.filter(is('operation')).map(({ id }) => id?.split('.')[0])
    }
    await expect.poll(() => told().length).toBeGreaterThanOrEqual(rows.length)
    expect(told()).toEqual(rows.map(({ seq }) => `${seq}`))
    expect(device.told.filter(is('reset'))).toEqual([])
    await expectLastBalances(device)
    device.cut()
  }
  expect(devices.reduce((sum, { connections }) => sum + connections, 0)).toBeGreaterThan(20)
})

/** The state after all events is the state that the API gives. */
async function expectLastBalances(device: Device): Promise<void> {
  const { body } = await ask(device.owner, 'GET', '/wallet')
  const told = device.told
    .filter(is('balances'))
    .flatMap(({ data }) => data['balances'] as { asset: string; available: string; reserved: string }[])
  const last = Object.fromEntries(told.map(({ asset, available }) => [asset, available]))
  const now = (body['balances'] as { asset: string; available: string }[]).filter(
    ({ asset }) => asset in last,
  )
  expect(last).toEqual(Object.fromEntries(now.map(({ asset, available }) => [asset, available])))
}
