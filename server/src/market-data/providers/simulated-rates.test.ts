import { expect, test } from 'vitest'
import { currencyByCode } from '@kantor/contract/money'
import { simulatedRates } from './simulated-rates.ts'

const never = new AbortController().signal
const at = (time: string, more: { seed?: number; sessionHours?: boolean; historyDays?: number } = {}) =>
  simulatedRates({ seed: 1, ...more, clock: () => new Date(time) })
const numbers = (rates: readonly { code: string; rate: string }[]) =>
  new Map(rates.map(({ code, rate }) => [code, Number(rate)] as const))

test('the same seed and moment give the same prices; another seed or moment others', async () => {
  const first = await at('2026-11-20T12:34:56Z').latest(never)
  expect(await at('2026-11-20T12:34:01Z').latest(never)).toEqual(first)
  expect((await at('2026-11-20T12:35:00Z').latest(never)).rates).not.toEqual(first.rates)
  expect((await at('2026-11-20T12:34:56Z', { seed: 2 }).latest(never)).rates).not.toEqual(first.rates)
})

test('all of its 35 currencies are ones we offer, at plain decimal prices', async () => {
  const { rates } = await at('2026-11-20T12:00:00Z').latest(never)
  expect(rates).toHaveLength(35)
  for (const { code, rate } of rates) {
    expect(currencyByCode(code), code).toBeDefined()
    expect(rate).toMatch(/^[0-9]+(\.[0-9]+)?$/)
  }
})

test('prices stay where one would look for them, over twenty years', async () => {
  for (let year = 2010; year < 2030; year += 1) {
    const rates = numbers((await at(`${year}-06-15T10:00:00Z`).latest(never)).rates)
    expect(rates.get('USD')).toBeGreaterThan(0.9)
    expect(rates.get('USD')).toBeLessThan(1.5)
    expect(rates.get('PLN')).toBeGreaterThan(3.2)
    expect(rates.get('PLN')).toBeLessThan(5.6)
  }
})

test('two years of history agree with what was said at the time, without breaks', async () => {
  const history = (await at('2026-11-20T12:00:00Z').history?.(never)) ?? []
  expect(history.length).toBe(716 + 14 * 24)
  const again = await at('2025-11-20T12:00:00Z').latest(never)
  expect(history.find(({ asOf }) => asOf.getTime() === again.asOf.getTime())?.rates).toEqual(again.rates)
  const usd = history.map(({ rates }) => numbers(rates).get('USD') ?? 0)
  const moves = usd.slice(1).map((price, index) => Math.abs(price / (usd[index] ?? 0) - 1))
  expect(Math.max(...moves)).toBeLessThan(0.03)
  const daily = moves.slice(0, 715)
  const yearly = Math.sqrt((daily.reduce((sum, move) => sum + move ** 2, 0) / daily.length) * 365.25)
  expect(yearly).toBeGreaterThan(0.055)
  expect(yearly).toBeLessThan(0.09)
})

test('currencies that follow the dollar move with it', async () => {
  const history = (await at('2026-11-20T12:00:00Z').history?.(never)) ?? []
  const ratio = history.map(
    ({ rates }) => (numbers(rates).get('AED') ?? 0) / (numbers(rates).get('USD') ?? 1),
  )
  expect(Math.max(...ratio) / Math.min(...ratio)).toBeLessThan(1.1)
})

test('with session hours it stands still from Friday 17:00 to Sunday 18:00 in New York', async () => {
  const sessions = (time: string) => at(time, { sessionHours: true }).latest(never)
  const saturday = await sessions('2026-11-21T15:00:00Z')
  expect(saturday.asOf.toISOString()).toBe('2026-11-21T15:00:00.000Z')
  expect(saturday.rates).toEqual((await sessions('2026-11-22T22:59:00Z')).rates)
  expect(saturday.rates).toEqual((await sessions('2026-11-20T22:00:00Z')).rates)
  expect(saturday.rates).toEqual((await at('2026-11-20T22:00:00Z').latest(never)).rates)
  expect(saturday.rates).not.toEqual((await sessions('2026-11-22T23:05:00Z')).rates)
  expect(saturday.rates).not.toEqual((await sessions('2026-11-20T21:50:00Z')).rates)
})
