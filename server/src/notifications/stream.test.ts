import { expect, test } from 'vitest'
import { is, streamFixture } from './stream-fixture.ts'

const { apps, person, ask, act, send, open, listStocks, observe, publishRates } = await streamFixture()
const [{ database, notifications }] = apps
const { db, ownerDb } = database
const [ann, bob, eve] = [await person('ann'), await person('bob'), await person('eve')]
const { notify } = notifications

const signedIn = (ip: string) => ({ kind: 'signed_in', detail: { ip, userAgent: 'Firefox' } }) as const
const tell = (walletId: bigint, ip: string) =>
  db.transaction((tx) => notify(tx, { ...signedIn(ip), walletId }))

test('both sides of a transfer are told of it and of what they hold, and nobody else', async () => {
  const [payer, payee, stranger] = await Promise.all([open(ann), open(bob, { replica: 1 }), open(eve)])
  await Promise.all([payer, payee, stranger].map((stream) => stream.next(is('hello'))))
  const { id } = await send(ann, bob, '12.34')

  const sent = await payer.next(is('operation'))
  const got = await payee.next(is('operation'))
  expect(sent.data).toMatchObject({ id, kind: 'transfer', amounts: [{ asset: 'EUR', amount: '-12.34' }] })
  expect(got.data).toMatchObject({ id, kind: 'transfer', amounts: [{ asset: 'EUR', amount: '12.34' }] })
  expect(payer.events.find(is('balances'))?.data).toEqual({
    balances: [{ asset: 'EUR', available: '9987.66', reserved: '0.00' }],
  })
  expect(payee.events.find(is('balances'))?.data).toEqual({
    balances: [{ asset: 'EUR', available: '10012.34', reserved: '0.00' }],
  })
  // What is told of her own wallet next came after: until then nothing of theirs had come.
  await send(eve, ann, '1.00')
  await stranger.next(is('operation'))
  expect(stranger.events.map(({ event }) => event)).toEqual(['hello', 'balances', 'operation'])
  expect(JSON.stringify(stranger.events)).not.toContain(String(id))
  for (const stream of [payer, payee, stranger]) stream.cut()
})

test('an operation has the amounts that history gives it', async () => {
  const stream = await open(ann)
  await stream.next(is('hello'))
  const { id } = await send(ann, bob, '3.21', 'USD')
  const told = await stream.next(is('operation'))
  const { body } = await ask(ann, 'GET', `/operations/${String(id)}`)
  expect(told.data).toEqual({ id: body['id'], kind: body['kind'], at: body['at'], amounts: body['amounts'] })
  stream.cut()
})

test('an order is told as it is before the operation that made it so, and ends so', async () => {
  const stocks = await listStocks()
  const stream = await open(ann)
  await stream.next(is('hello'))
  await observe(stocks.get('AAPL') ?? 0, '200')
  await Promise.all(apps.map((app) => app.stocks.prices.refresh()))
  const body = {
    instrument: 'AAPL',
    side: 'buy',
    type: 'limit',
    quantity: '1',
    limitPrice: '150',
    timeInForce: 'gtc',
  }
  const order = await act(ann, '/orders', body)
  const reserve = await stream.next(is('operation'))
  expect(reserve.data).toMatchObject({ kind: 'reserve', orderId: order['id'] })
  expect(stream.events.map(({ event }) => event)).toEqual(['hello', 'order', 'balances', 'operation'])
  expect(stream.events.find(is('order'))?.data).toMatchObject({ id: order['id'], status: 'new' })

  const seen = stream.events.length
  await ask(ann, 'DELETE', `/orders/${String(order['id'])}`)
  const release = await stream.next(is('operation'), seen)
  expect(release.data).toMatchObject({ kind: 'release', orderId: order['id'] })
  expect(stream.events.slice(seen).find(is('order'))?.data).toMatchObject({
    id: order['id'],
    status: 'cancelled',
    reserved: { asset: 'USD', amount: '0.00' },
  })
  stream.cut()
})

test('prices and rates of what is on screen are told, first as they are and then as they change', async () => {
  const stocks = await listStocks()
  const [apple, other] = [stocks.get('AAPL') ?? 0, stocks.get('MSFT') ?? 0]
  const refresh = () => Promise.all(apps.flatMap((app) => [app.stocks.prices.refresh(), app.rates.refresh()]))
  await observe(apple, '201.5')
  await publishRates({ PLN: '4.25', USD: '1.1', JPY: '160' })
  await refresh()
  const stream = await open(bob, { query: '?instruments=AAPL&pairs=EUR/PLN,USD/PLN' })
  const isPrice =
    (last: string) =>
    ({ event, data }: (typeof stream.events)[0]) =>
      event === 'price' && data['last'] === last
  expect((await stream.next(isPrice('201.5'))).data).toMatchObject({
    instrument: String(apple),
    ticker: 'AAPL',
    stale: false,
    source: 'simulated',
  })
  expect((await stream.next(({ data }) => data['base'] === 'EUR')).data).toMatchObject({
    counter: 'PLN',
    mid: '4.250000000',
  })
  expect((await stream.next(({ data }) => data['base'] === 'USD')).data).toMatchObject({ counter: 'PLN' })

  await observe(other, '999')
  await observe(apple, '202', '203', '204')
  await publishRates({ PLN: '4.26', USD: '1.1', JPY: '160' })
  await refresh()
  await stream.next(isPrice('204'))
  await stream.next(({ data }) => data['mid'] === '4.260000000')
  // The newest alone, and nothing of what is on no screen.
  expect(stream.events.filter(is('price')).map(({ data }) => data['last'])).toEqual(['201.5', '204'])
  stream.cut()
})

test('what is on screen must exist', async () => {
  const refusal = async (query: string) => {
    const { status, body } = await ask(ann, 'GET', `/stream?${query}`)
    return [status, body['code']]
  }
  expect(await refusal('instruments=NOSUCH')).toEqual([404, 'unknown_instrument'])
  expect(await refusal('pairs=EUR/XXQ')).toEqual([422, 'unknown_asset'])
  expect(await refusal('pairs=EUR/EUR')).toEqual([422, 'same_asset'])
  for (const query of ['instruments=', 'instruments=AAPL,AAPL', 'pairs=EURPLN', 'pairs=', 'what=1'])
    expect([query, ...(await refusal(query))]).toEqual([query, 400, 'invalid_request'])
})

test('a notice is told as it is listed, live and after having been away', async () => {
  const first = await open(bob)
  await first.next(is('hello'))
  await tell(bob.walletId, '10.0.0.1')
  const told = await first.next(is('notice'))
  const [listed] = (await ask(bob, 'GET', '/notices')).body['items'] as unknown[]
  expect(told.data).toEqual(listed)
  first.cut()
  await tell(bob.walletId, '10.0.0.2')
  await tell(eve.walletId, '10.0.0.3')
  const second = await open(bob, { replica: 1, headers: { 'last-event-id': told.id ?? '' } })
  await second.next(is('notice'))
  expect(second.events.filter(is('notice')).map(({ data }) => data['detail'])).toEqual([
    { ip: '10.0.0.2', userAgent: 'Firefox' },
  ])
  second.cut()
})

test('who comes back is told what was missed, and then goes on, from the header or from `after`', async () => {
  const first = await open(ann)
  const { id } = await first.next(is('hello'))
  first.cut()
  const missed = [await send(ann, bob, '0.01'), await send(bob, ann, '0.02')].map(
    (transfer) => transfer['id'],
  )
  const back = await open(ann, { replica: 1, query: `?after=${id}` })
  const again = await open(ann, { headers: { 'last-event-id': id ?? '' }, query: '?after=999999999999.0' })
  for (const stream of [back, again]) {
    await stream.next(({ data }) => data['id'] === missed[1])
    expect(stream.events[0]).toMatchObject({ event: 'hello', id, data: { resumed: true } })
    expect(stream.events.filter(is('operation')).map(({ data }) => data['id'])).toEqual(missed)
    stream.cut()
  }
})

test('a position from somewhere else is answered with a reset, and the stream goes on from now', async () => {
  for (const position of ['99999999999999999.0', '0.99']) {
    const stream = await open(eve, { query: `?after=${position}` })
    const reset = await stream.next(is('reset'))
    expect([reset.data, stream.events[0]?.data['resumed']]).toEqual([{ reason: 'unknown_id' }, false])
    const { id } = await send(eve, bob, '0.01')
    expect((await stream.next(is('operation'))).data).toMatchObject({ id })
    stream.cut()
  }
})

test('more than is replayed ends in a reset that names where the stream goes on', async () => {
  const stream = await open(bob, { query: '?after=0.0' })
  await stream.next(is('hello'))
  stream.cut()
  const { rows } = await ownerDb.query<{ n: bigint }>(
    `select count(distinct seq) as n from ledger.entries where account_id >> 27 = $1`,
    [bob.walletId],
  )
  const wanted = 1_010 - Number(rows[0]?.n)
  for (let sent = 0; sent < wanted; sent += 100) {
    await Promise.all(Array.from({ length: 100 }, () => send(ann, bob, '0.01')))
  }
  const back = await open(bob, { query: '?after=0.0' })
  const reset = await back.next(is('reset'))
  expect(reset.data).toEqual({ reason: 'too_much' })
  expect(back.events.filter(is('operation'))).toHaveLength(1_000)
  const { id } = await send(ann, bob, '0.01')
  const next = await back.next(is('operation'), back.events.indexOf(reset))
  expect(next.data).toMatchObject({ id })
  back.cut()
})

test.each([
  '',
  '1',
  '1.',
  '.1',
  '1.2.3',
  '-1.0',
  '1.-1',
  'x.y',
  '01.0',
  '1.00',
  ' 1.0',
  '9'.repeat(19) + '.0',
])('the position %j, which no event has, is refused', async (position) => {
  const asked = await ask(ann, 'GET', `/stream?after=${encodeURIComponent(position)}`)
  expect([asked.status, asked.body['code']]).toEqual([400, 'invalid_request'])
  if (position.trim() !== position || position === '') return
  const sent = await ask({ ...ann, headers: { ...ann.headers, 'last-event-id': position } }, 'GET', '/stream')
  expect([sent.status, sent.body['code']]).toEqual([400, 'invalid_cursor'])
})
