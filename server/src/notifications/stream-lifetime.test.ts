import { accountId, HOUSE_WALLET_ID, openLedger, PURPOSE } from '#ledger'
import { CURRENCIES } from '@kantor/contract/money'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { is, streamFixture, type Person } from './stream-fixture.ts'
import { createStreamSlots, USUAL_STREAM_LIMITS } from './stream-slots.ts'

// Nothing that is done again and again by the clock is done unless a test lets time pass.
vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
const { apps, person, ask, act, send, open } = await streamFixture()
const { ownerDb, url } = apps[0].database

/** A browser of the same person: another session. */
async function signInAgain(of: Person): Promise<Person> {
  const body = { email: `${of.handle}@example.com`, password: 'kobyla ma maly bok 77' }
  const { headers } = await ask(null, 'POST', '/auth/sign-in', body)
  const cookie = headers.getSetCookie().map((line) => line.split(';', 1)[0])
  return { ...of, headers: { cookie: cookie.join('; ') } }
}

async function withKey(of: Person, scopes: readonly string[]): Promise<Person & { keyId: string }> {
  const { id, key } = await act(of, '/me/api-keys', { name: 'key', scopes })
  return { ...of, headers: { authorization: `Bearer ${String(key)}` }, keyId: String(id) }
}

describe('who may no longer listen', async () => {
  const ann = await person('ann')

  test('signing out ends the stream at once, on any replica, and leaves other browsers alone', async () => {
    const other = await signInAgain(ann)
    const [leaving, staying] = await Promise.all([open(other, { replica: 1 }), open(ann, { replica: 1 })])
    await Promise.all([leaving.next(is('hello')), staying.next(is('hello'))])
    expect((await ask(other, 'POST', '/auth/sign-out')).status).toBe(204)
    await leaving.ended()
    expect(leaving.text()).toMatch(/retry: \d+\n\n$/)
    expect((await ask(other, 'GET', '/stream')).status).toBe(401)
    await send(ann, await person('ada'), '1.00')
    await staying.next(is('operation'))
    staying.cut()
  })

  test('a session or a key that is revoked ends with its streams', async () => {
    const other = await signInAgain(ann)
    const program = await withKey(ann, ['read'])
    const streams = [await open(other), await open(program, { replica: 1 })]
    await Promise.all(streams.map((stream) => stream.next(is('hello'))))
    const sessions = (await ask(other, 'GET', '/auth/sessions')).body['items'] as {
      id: string
      current: boolean
    }[]
    await ask(ann, 'DELETE', `/auth/sessions/${sessions.find(({ current }) => current)?.id}`)
    await ask(ann, 'DELETE', `/me/api-keys/${program.keyId}`)
    await Promise.all(streams.map((stream) => stream.ended()))
  })

  test('a key without `read` is refused', async () => {
    const { status, body } = await ask(await withKey(ann, ['trade']), 'GET', '/stream')
    expect([status, body['code']]).toEqual([403, 'insufficient_scope'])
  })

  test('a frozen customer goes on reading, as everywhere', async () => {
    const cold = await person('cold')
    const stream = await open(cold)
    await stream.next(is('hello'))
    const freeze = (at: string) =>
      ownerDb.query(`update identity.customers set frozen_at = ${at} where handle = 'cold'`)
    await freeze('now()')
    const { id } = await send(ann, cold, '1.00')
    expect((await stream.next(is('operation'))).data).toMatchObject({ id })
    await freeze('null')
    stream.cut()
  })
})

describe('limits', () => {
  test('one customer may hold so many, is told to wait beyond that, and gets the place of one that ended', async () => {
    const zoe = await person('zoe')
    const { perCustomerMax } = USUAL_STREAM_LIMITS
    const streams = await Promise.all(Array.from({ length: perCustomerMax }, () => open(zoe)))
    const refused = await ask(zoe, 'GET', '/stream')
    expect([refused.status, refused.body['code'], refused.headers.get('retry-after')]).toEqual([
      429,
      'too_many_streams',
      '60',
    ])
    expect((await open(await person('yan'))).status).toBe(200)
    streams[0]?.cut()
    const opened = async () => (await open(zoe)).status
    await expect.poll(opened).toBe(200)
    for (const stream of streams) stream.cut()
  })

  test('there are so many in all, and whoever had one gives it back once', () => {
    const slots = createStreamSlots({ streamsMax: 3, perCustomerMax: 2 })
    const first = slots.take('ann')
    slots.take('ann')
    expect(() => slots.take('ann')).toThrow(expect.objectContaining({ code: 'too_many_streams' }))
    const other = slots.take('bob')
    expect(() => slots.take('bob')).toThrow(expect.objectContaining({ code: 'busy', status: 503 }))
    other()
    other()
    first()
    expect(slots.taken).toBe(1)
    slots.take('ann')
    slots.take('bob')
    expect(slots.taken).toBe(3)
  })
})

describe('a client that takes nothing', async () => {
  const rich = await person('rich')
  const ledger = openLedger({
    url,
    applicationName: 'test-ledger',
    clock: () => new Date(),
    random: Math.random,
  })
  afterAll(ledger.close)
  const metric = async (name: string) => {
    const { body } = await apps[0].http.inject({ url: '/metrics' })
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(body)?.[1])
  }
  /** Forty assets at once are told in some kilobytes, so that few such journals fill the systems' own buffers. */
  const postings = CURRENCIES.slice(0, 40).map(({ id: assetId }) => ({
    from: accountId({ walletId: HOUSE_WALLET_ID, assetId, purpose: PURPOSE.funding }),
    to: accountId({ walletId: rich.walletId, assetId, purpose: PURPOSE.available }),
    amount: 1n,
  }))
  const deposit = (key: string) =>
    ledger.post({
      kind: 'deposit',
      scope: 0n,
      key,
      requestHash: Buffer.alloc(16),
      postings,
      opens: postings.flatMap(({ from, to }) => [from, to]),
    })

  test('is told no more, then dropped and counted, while another is told all', async () => {
    const [slow, other] = [await open(rich), await open(rich)]
    await Promise.all([slow.next(is('hello')), other.next(is('hello'))])
    slow.stall()
    let posted = 0
    while ((await metric('kantor_streams_behind')) === 0 && posted < 5_000) {
      await Promise.all(Array.from({ length: 100 }, (_, n) => deposit(`wide ${posted + n}`)))
      posted += 100
      await expect.poll(() => other.events.filter(is('operation')).length).toBe(posted)
    }
    expect(await metric('kantor_streams_cut_off_total')).toBe(0)
    vi.advanceTimersByTime(45_000)
    await expect.poll(() => metric('kantor_streams_cut_off_total')).toBe(1)
    expect(await metric('kantor_streams_behind')).toBe(0)
    await deposit('after')
    await expect.poll(() => other.events.filter(is('operation')).length).toBe(posted + 1)
    expect(other.events.filter(is('reset'))).toEqual([])
    other.cut()
    slow.cut()
  })
})

// The last: from here on one replica is gone.
test('a replica that drains sends its clients away, who go on at another without loss', async () => {
  const [tom, tim] = [await person('tom'), await person('tim')]
  const stream = await open(tom)
  const { id } = await send(tom, tim, '1.00')
  const told = await stream.next(is('operation'))
  apps[0].drain()
  await stream.ended()
  expect([told.data['id'], stream.text()]).toEqual([id, expect.stringMatching(/retry: \d+\n\n$/)])
  const refused = await ask(tom, 'GET', '/stream')
  expect([refused.status, refused.body['code'], refused.headers.get('retry-after')]).toEqual([
    503,
    'unavailable',
    '2',
  ])

  const missed = await send(tim, tom, '2.00')
  const back = await open(tom, { replica: 1, headers: { 'last-event-id': told.id ?? '' } })
  const first = await back.next(is('operation'))
  expect(first.data['id']).toBe(missed['id'])
  back.cut()
})
