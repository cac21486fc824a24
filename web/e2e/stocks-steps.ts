import type { Locator, Page } from '@playwright/test'
import { balanceOf, expect, post } from './fixtures.ts'

/** The simulated market sets a price for each stock at least once a minute. */
export const FILL_MS_MAX = 150_000

/** A new installation has its first prices after some seconds; nothing can be ordered before. */
export async function waitForPrices(page: Page, address: string): Promise<void> {
  const priced = async (ticker: string) => {
    const answer = await page.request.get(`${address}/api/v1/instruments/${ticker}`)
    return ((await answer.json()) as { price: unknown }).price !== null
  }
  for (const ticker of ['AAPL', 'MSFT']) {
    await expect.poll(() => priced(ticker), { timeout: FILL_MS_MAX }).toBe(true)
  }
}

/** The ticket stands beside the chart where there is room; on a phone it is opened. */
export async function openTicket(page: Page, ticker: string, phone = false): Promise<Locator> {
  if (phone) await page.getByRole('button', { name: 'Buy', exact: true }).click()
  return page.getByRole('form', { name: `Order ${ticker}` })
}

/** Through the API: a position and a watched stock, for tests that are about something else. */
export async function buySomeShares(page: Page, address: string): Promise<void> {
  await waitForPrices(page, address)
  const order = { instrument: 'AAPL', side: 'buy', type: 'market', timeInForce: 'day' }
  const placed = await post(page, address, '/orders', {
    ...order,
    notional: { asset: 'EUR', amount: '200.00' },
  })
  expect(placed.status()).toBe(201)
  for (const instrument of ['AAPL', 'MSFT', 'NVDA']) {
    expect((await post(page, address, '/watchlist', { instrument })).ok()).toBe(true)
  }
  await expect.poll(() => balanceOf(page, address, 'AAPL'), { timeout: FILL_MS_MAX }).not.toBe('0')
}
