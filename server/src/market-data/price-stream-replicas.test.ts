import { randomBytes } from 'node:crypto'
import { afterAll, expect, test, vi } from 'vitest'
import { prepareDatabase } from '#start'
import { createLog } from '#telemetry'
import { testDatabase } from '#test/harness'
import { startKantorAt, type KantorAt } from '#test/real-input/kantor-at'
import { signIn, signUp } from '#test/real-input/person'
import { polygonMarket } from './polygon-market-fixture.ts'
import { fakeSocket } from './providers/fake-socket.ts'
import { KEY } from './providers/polygon-fixture.ts'

// Real workers in processes of their own, on one database and one key, in a session of the market.

const NOON = '2026-03-02T15:00:00.000Z'

const { url } = await testDatabase()
const socket = await fakeSocket()
const { market, url: polygonUrl } = await polygonMarket()
const running: KantorAt[] = []
afterAll(() => Promise.all(running.map((one) => one.kill())))

const environment = {
  ROLE: 'worker',
  DATABASE_URL: url,
  SECRET_KEY: randomBytes(32).toString('base64url'),
  RATES_PROVIDERS: 'simulated',
  STOCKS_PROVIDER: 'polygon',
  POLYGON_API_KEY: KEY,
  POLYGON_URL: polygonUrl,
  POLYGON_WS_URL: socket.url,
  WELCOME_GRANT: 'USD:100000',
  RATE_LIMITS: 'off',
  LOG_LEVEL: 'warn',
}
const startWorker = async (moment: string) => {
  const worker = await startKantorAt(moment, environment)
  running.push(worker)
  return worker
}
const eventually = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { interval: 50, timeout: 60_000 })

test(
  'of two workers one listens; killed, the other listens within seconds, and an order is filled from what it hears',
  { timeout: 240_000 },
  async () => {
    await prepareDatabase(url, createLog({ level: 'error', name: 'test' }), Math.random)
    market.tickers = [{ ticker: 'ALFA', name: 'Alfa Corporation' }]
    const nowMs = () => running[0]?.now().getTime() ?? Date.parse(NOON)
    market.snapshot = () => [{ ticker: 'ALFA', lastTrade: { p: 100, s: 1, t: nowMs() * 1e6 } }]
    const first = await startWorker(NOON)
    await eventually(() => expect(socket.clients).toHaveLength(1))

    const [second, ania] = await Promise.all([
      startWorker(first.now().toISOString()),
      signUp(first.address, 'ania', 'USD'),
    ])
    // Polled prices stay at 100, so that only a streamed one can fill it.
    const order = { instrument: 'ALFA', side: 'buy', type: 'limit', quantity: '3', limitPrice: '90' }
    const { status, body } = await ania.post<{ id: string }>('/orders', { ...order, timeInForce: 'day' })
    expect(status).toBe(201)
    expect(socket.clients).toHaveLength(1)
    // One clock for both: it is a price after the order that fills it.
    await second.setClock(first.now().toISOString())

    await first.kill()
    await eventually(() => expect(socket.clients.at(-1)?.heard.at(-1)?.params).toBe('A.ALFA,AM.ALFA'))
    expect(socket.clients).toHaveLength(2)

    const again = await signIn(second.address, 'ania')
    await eventually(async () => {
      // A poll may have brought a price of the same moment: then the next second counts.
      const endMs = second.now().getTime()
      const bar = { o: 89, h: 89, l: 89, c: 89, v: 500, s: endMs - 1_000, e: endMs }
      socket.clients.at(-1)?.say({ ev: 'A', sym: 'ALFA', ...bar })
      const shown = await again.get<{ status: string; filledQuantity: string }>(`/orders/${body.id}`)
      expect(shown.body).toMatchObject({ status: 'filled', filledQuantity: '3.000000000' })
    })
    expect(await second.stop()).not.toMatch(/"level":(50|60)/)
    running.pop()
  },
)
