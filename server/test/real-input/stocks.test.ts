import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fakeClock } from '#test/fake-clock'
import { testDatabase } from '#test/harness'
import { ACCOUNTING_TOOLS, balancesBy, FORMAT_OF, hasTool } from './accounting.ts'
import { trimmed } from './exact.ts'
import { keptCandles, writtenCandles } from './kept-candles.ts'
import { runMain } from './kantor-at.ts'
import { signIn, signUp, type Refusal } from './person.ts'
import { PAID_DAYS_LATER, samplePolygon, type SamplePolygon } from './polygon-server.ts'
import { cashLeft, dealt, dividendsOf, dollars, expectedPosition, type Deal } from './stocks-books.ts'
import { openStocksDesk, type StocksDesk } from './stocks-desk.ts'
import { dayLater, hasStocksSample, readSample } from './stocks-sample.ts'

// Three real years of five real stocks, lived through day by day: the real app and its real jobs against a server
// that speaks as Polygon does to a free key. Orders are given in the evening and filled at the next close.

const GRANTED = '100000'

interface Intent {
  readonly who: string
  readonly on: string
  readonly order: Readonly<Record<string, string>>
  /** The close at which it is to be dealt; null: never. */
  readonly dealt: string | null
}

const market = (ticker: string, side: string, quantity: string, timeInForce = 'day') => ({
  instrument: ticker,
  side,
  type: 'market',
  quantity,
  timeInForce,
})

const INTENTS: readonly Intent[] = [
  { who: 'ania', on: '2015-01-02', order: market('AAPL', 'buy', '12.345678901'), dealt: '2015-01-05' },
  { who: 'ania', on: '2015-01-02', order: market('YHOO', 'buy', '40.5'), dealt: '2015-01-05' },
  { who: 'edek', on: '2015-01-02', order: market('AAPL', 'buy', '3'), dealt: '2015-01-05' },
  { who: 'edek', on: '2015-03-02', order: market('TSLA', 'buy', '5.25'), dealt: '2015-03-03' },
  { who: 'edek', on: '2015-04-01', order: market('COKE', 'buy', '10.123456789'), dealt: '2015-04-02' },
  { who: 'edek', on: '2015-06-01', order: market('AAPL', 'buy', '7.000000001'), dealt: '2015-06-02' },
  { who: 'edek', on: '2015-07-20', order: market('GOOGL', 'buy', '0.000000001'), dealt: '2015-07-21' },
  // Sold at the close of the ex-date: entitled all the same.
  { who: 'edek', on: '2016-02-03', order: market('AAPL', 'sell', '4.5'), dealt: '2016-02-04' },
  { who: 'edek', on: '2016-02-10', order: market('TSLA', 'buy', '2.125'), dealt: '2016-02-11' },
  { who: 'edek', on: '2016-11-25', order: market('GOOGL', 'buy', '3.3'), dealt: '2016-11-28' },
  { who: 'edek', on: '2017-03-01', order: market('COKE', 'sell', '10.123456789'), dealt: '2017-03-02' },
  // Bought at the close of the ex-date: too late for that dividend.
  { who: 'edek', on: '2017-05-10', order: market('AAPL', 'buy', '2.75'), dealt: '2017-05-11' },
  { who: 'edek', on: '2017-06-22', order: market('TSLA', 'sell', '6.333333333'), dealt: '2017-06-23' },
  // The data has no Apple on 7 August: an order for that day only is not filled, one that stays is, a day later.
  { who: 'ania', on: '2017-08-04', order: market('AAPL', 'buy', '1'), dealt: null },
  { who: 'edek', on: '2017-08-04', order: market('AAPL', 'buy', '1.5', 'gtc'), dealt: '2017-08-08' },
  { who: 'edek', on: '2017-10-02', order: market('AAPL', 'sell', '6.123456789'), dealt: '2017-10-03' },
  {
    who: 'ania',
    on: '2017-06-14',
    order: { ...market('YHOO', 'buy', '10', 'gtc'), type: 'limit', limitPrice: '31.5' },
    dealt: null,
  },
]

const dealsOf = (person: string): Deal[] =>
  INTENTS.flatMap(({ who, order, dealt: on }): Deal[] => {
    if (who !== person || on === null) return []
    const { instrument: ticker = '', quantity = '' } = order
    return [{ ticker, side: order['side'] === 'sell' ? 'sell' : 'buy', quantity, on }]
  }).toSorted((left, right) => (left.on < right.on ? -1 : 1))

const tickersOf = (person: string) => [...new Set(dealsOf(person).map(({ ticker }) => ticker))].toSorted()

/** Monday's date. */
const weekOf = (day: string) => (day === '' ? '' : dayLater(day, -((new Date(day).getUTCDay() + 6) % 7)))

/** Evenings on which somebody orders, those when that is dealt, and those on which a dividend is paid. */
function eventfulDays(days: readonly string[]): Set<string> {
  const ordered = INTENTS.flatMap(({ on, dealt }) => [on, dealt ?? days[days.indexOf(on) + 1] ?? on])
  const paid = readSample().flatMap(({ date, dividend }) =>
    dividend === null ? [] : [dayLater(date, PAID_DAYS_LATER)],
  )
  return new Set([...ordered, ...paid])
}

interface Shown {
  readonly id: string
  readonly status: string
  readonly reason: string | null
  readonly averagePrice?: string
  readonly fee: { readonly amount: string }
  readonly reserved: { readonly amount: string }
}

interface Instrument {
  readonly ticker: string
}

interface Wallet {
  readonly balances: readonly {
    readonly asset: string
    readonly available: string
    readonly reserved: string
  }[]
}

interface Operation {
  readonly kind: string
  readonly at: string
  readonly amounts: readonly { readonly asset: string; readonly amount: string }[]
}

describe.skipIf(!hasStocksSample)('real stocks, day by day', async () => {
  const { db, ownerDb, url } = await testDatabase()
  const clock = fakeClock('2015-01-02T12:00:00Z')
  const sample = hasStocksSample ? readSample() : []
  const orders = new Map<Intent, string>()
  let polygon: SamplePolygon
  let desk: StocksDesk
  let folder: string

  const give = async (intent: Intent) => {
    const person = await signIn(desk.address, intent.who)
    const { status, body } = await person.post<Shown>('/orders', intent.order)
    expect(status, `${intent.on}: ${JSON.stringify(body)}`).toBe(201)
    orders.set(intent, body.id)
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kantor-stocks-'))
    polygon = await samplePolygon(sample, clock)
    desk = await openStocksDesk({ db, databaseUrl: url, polygonUrl: polygon.url, clock })
    for (const handle of ['ania', 'edek']) await signUp(desk.address, handle, 'USD')
  })
  afterAll(async () => {
    await desk?.close()
    await polygon?.close()
    if (folder !== undefined) await rm(folder, { recursive: true })
  })

  test('754 days are lived through', { timeout: 300_000 }, async () => {
    const days = [...new Set(sample.map(({ date }) => date))]
    expect(days).toHaveLength(754)
    const eventful = eventfulDays(days)
    for (const [index, day] of days.entries()) {
      // On the first day of each week, before the market opens.
      if (weekOf(day) !== weekOf(days[index - 1] ?? '')) {
        clock.set(`${day}T12:00:00Z`)
        await desk.readReference()
      }
      // Days on which nothing but prices comes are taken in with the last of their week, each by a request of its own.
      if (!eventful.has(day) && weekOf(day) === weekOf(days[index + 1] ?? '')) continue
      clock.set(`${day}T22:00:00Z`)
      await desk.closeDay()
      for (const intent of INTENTS.filter(({ on }) => on === day)) await give(intent)
    }
    const asked = polygon.asked.flatMap(({ path }) => /\/grouped\/.*\/([\d-]+)$/.exec(path)?.[1] ?? [])
    // The data has nobody on 8 November 2017, which was a day like others: asked for too, and nothing made of it.
    expect(asked.slice(1)).toEqual([...days, '2017-11-08'].toSorted())
  })

  test('every candle is as it was written, to its last digit', async () => {
    expect(await keptCandles(db)).toEqual(writtenCandles(sample))
    const day = await fetch(
      `${desk.address}/api/v1/instruments/TSLA/candles?span=day&from=2015-01-01T00:00:00Z`,
    )
    const { items } = (await day.json()) as { items: { close: string }[] }
    const closes = sample.filter(({ ticker }) => ticker === 'TSLA').map(({ close }) => trimmed(close))
    expect(items.map(({ close }) => trimmed(close))).toEqual(closes)
  })

  test('each order was dealt at the next close, with the fee of the house, and not otherwise', async () => {
    for (const [{ who, order, on, dealt: dealtOn }, id] of orders) {
      const { body } = await (await signIn(desk.address, who)).get<Shown>(`/orders/${id}`)
      if (dealtOn === null) {
        const why = order['instrument'] === 'YHOO' ? 'cancelled delisted' : 'expired sessionEnded'
        expect(`${on} ${body.status} ${body.reason}`).toBe(`${on} ${why}`)
      } else {
        const [deal] = dealsOf(who).filter((one) => one.on === dealtOn && one.ticker === order['instrument'])
        if (deal === undefined) throw new Error('a deal of the plan')
        const { price, fee } = dealt(sample, deal)
        const shown = [body.status, trimmed(body.averagePrice ?? ''), body.fee.amount]
        expect([on, ...shown]).toEqual([on, 'filled', price, dollars(fee)])
      }
      expect(trimmed(body.reserved.amount)).toBe('0')
    }
  })

  test('who held Apple from the first day has received exactly the dividends in the data', async () => {
    const ania = await signIn(desk.address, 'ania')
    const { body } = await ania.get<{ items: Operation[] }>('/operations?kind=dividend&limit=100')
    const received = body.items
      .filter(({ kind }) => kind === 'dividend')
      .map(({ at, amounts }) => `${at.slice(0, 10)} ${amounts[0]?.amount} ${amounts[0]?.asset}`)
    const wanted = dividendsOf(sample, dealsOf('ania'), 'AAPL')
    expect(wanted).toHaveLength(11)
    // On the day on which it was paid, which the data does not say and this test's market does.
    expect(received.toReversed()).toEqual(
      wanted.map(({ exDate, cents }) => `${dayLater(exDate, PAID_DAYS_LATER)} ${dollars(cents)} USD`),
    )
  })

  test('Yahoo is delisted on its last day: held at its last price, and not dealt in any more', async () => {
    const shown = await fetch(`${desk.address}/api/v1/instruments/YHOO`)
    expect(await shown.json()).toMatchObject({ status: 'delisted', delistedOn: '2017-06-16' })
    const ania = await signIn(desk.address, 'ania')
    const { status, body } = await ania.post<Refusal>('/orders', market('YHOO', 'sell', '1'))
    expect([status, body.code]).toEqual([422, 'instrument_delisted'])
    const { body: held } = await ania.get<{ items: { instrument: Instrument }[] }>('/positions')
    const yahoo = held.items.find(({ instrument }) => instrument.ticker === 'YHOO')
    const last = sample.findLast(({ ticker }) => ticker === 'YHOO')
    expect(yahoo).toMatchObject({ quantity: '40.500000000', price: trimmed(last?.close ?? '') })
  })

  test.each([
    ['ania', 'fifo'],
    ['ania', 'average'],
    ['edek', 'fifo'],
    ['edek', 'average'],
  ] as const)(
    'positions and profits of %s, %s, are what independent arithmetic says',
    async (who, method) => {
      const person = await signIn(desk.address, who)
      expect((await person.patch('/positions/settings', { method })).status).toBe(200)
      const { body } = await person.get<{ items: ShownPosition[] }>('/positions')
      const shown = body.items.map(flat).toSorted((left, right) => (left.ticker < right.ticker ? -1 : 1))
      expect(shown).toEqual(
        tickersOf(who).map((ticker) => expectedPosition(sample, dealsOf(who), ticker, method)),
      )
    },
  )

  test('money and shares are what is left, and the ledger holds', async () => {
    for (const who of ['ania', 'edek']) {
      const { body } = await (await signIn(desk.address, who)).get<Wallet>('/wallet')
      const usd = body.balances.find(({ asset }) => asset === 'USD')
      expect(usd).toMatchObject({ available: cashLeft(sample, dealsOf(who), GRANTED), reserved: '0.00' })
    }
    const verified = await runMain(['verify'], desk.environment)
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('The ledger holds.') })
  })

  for (const tool of ACCOUNTING_TOOLS) {
    test(`${tool} comes to the same money and the same shares`, async ({ skip }) => {
      skip(!(await hasTool(tool)), `${tool} is not installed`)
      const { code, stdout } = await runMain(['export', '--format', FORMAT_OF[tool]], desk.environment)
      expect(code).toBe(0)
      const file = join(folder, `export.${FORMAT_OF[tool]}`)
      await writeFile(file, stdout)
      const exported = Object.entries(await balancesBy(tool, file))
      const ofCustomers = exported.filter(([name]) => name.startsWith('Assets:Customers:'))
      const left = (await Promise.all(['ania', 'edek'].map(leftWith))).flat()
      expect(Object.fromEntries(ofCustomers)).toEqual(Object.fromEntries(left))
    })
  }

  /** `account commodity` and amount, by arithmetic alone. */
  async function leftWith(who: string): Promise<(readonly [string, string])[]> {
    const { rows } = await ownerDb.query<{ number: bigint }>(
      'select number from identity.customers where handle = $1',
      [who],
    )
    const account = `Assets:Customers:${rows[0]?.number}:Available`
    const shares = tickersOf(who).map((ticker) => expectedPosition(sample, dealsOf(who), ticker, 'fifo'))
    return [
      [`${account} USD`, trimmed(cashLeft(sample, dealsOf(who), GRANTED))],
      ...shares
        .filter(({ quantity }) => quantity !== '0')
        .map(({ ticker, quantity }) => [`${account} ${ticker}`, quantity] as const),
    ]
  }
})

type Money = { readonly amount: string } | null
type ShownPosition = ReturnType<typeof expectedPosition> & {
  readonly instrument: Instrument
  readonly costBasis: Money
  readonly marketValue: Money
}

function flat(shown: ShownPosition) {
  const { instrument, quantity, averageCost, costBasis, marketValue, price, unrealised, realised } = shown
  return {
    ticker: instrument.ticker,
    quantity: trimmed(quantity),
    averageCost: trimmed(averageCost),
    costBasis: costBasis?.amount,
    marketValue: marketValue?.amount,
    price,
    unrealised,
    realised,
  }
}
