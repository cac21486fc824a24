import type { Page } from '@playwright/test'
import { expect, post, signUp, test } from './fixtures.ts'
import { lookAt, SIZES } from './look.ts'
import { buySomeShares, openTicket } from './stocks-steps.ts'

const candlesDrawn = (page: Page) => expect(page.locator('canvas').first()).toBeVisible()

/** Every page of stocks in the states that a customer meets, of somebody who owns some. */
const STATES: Record<string, (page: Page, phone: boolean) => Promise<void>> = {
  stocks: async (page) => {
    await page.goto('/stocks')
    await expect(page.getByRole('link', { name: /AAPL/u }).first()).toBeVisible()
    await expect(page.getByText(/^Prices:/u)).toBeVisible()
  },
  'stocks-search': async (page) => {
    await page.goto('/stocks')
    await page.getByLabel('Search stocks').fill('micro')
    await expect(page.getByRole('option', { name: /MSFT/u })).toBeVisible()
  },
  'stocks-no-match': async (page) => {
    await page.goto('/stocks')
    await page.getByLabel('Search stocks').fill('zzzz nothing')
    await expect(page.getByText('Nothing is called')).toBeVisible()
  },
  instrument: async (page) => {
    await page.goto('/stocks/AAPL')
    await candlesDrawn(page)
    await expect(page.getByText('Key figures')).toBeVisible()
    await expect(page.getByText('You own')).toBeVisible()
  },
  'instrument-table': async (page) => {
    await page.goto('/stocks/AAPL')
    await page.getByRole('radio', { name: '1M' }).check()
    await page.getByRole('button', { name: 'Table' }).click()
    await expect(page.getByRole('row').nth(5)).toBeVisible()
  },
  'instrument-missing': async (page) => {
    await page.goto('/stocks/ZZZZZZ')
    await expect(page.getByText('There is no stock with this ticker here.')).toBeVisible()
  },
  ticket: async (page, phone) => {
    await page.goto('/stocks/MSFT')
    const ticket = await openTicket(page, 'MSFT', phone)
    await ticket.getByLabel('Spend at most').fill('120')
    await expect(ticket.getByText('You pay')).toBeVisible()
    await ticket.getByText('You pay').scrollIntoViewIfNeeded()
  },
  'ticket-limit': async (page, phone) => {
    await page.goto('/stocks/MSFT')
    const ticket = await openTicket(page, 'MSFT', phone)
    await ticket.getByRole('radio', { name: 'Limit' }).check()
    await ticket.getByRole('radio', { name: 'Shares' }).check()
    await ticket.getByLabel('How many shares').fill('1.5')
    await ticket.getByLabel('At most, USD a share').fill('10000')
    await expect(ticket.getByRole('alert')).toContainText('far worse for you')
  },
  orders: async (page) => {
    await page.goto('/stocks/orders')
    await expect(page.getByText('or better').first()).toBeVisible()
    await expect(page.getByText('filled').first()).toBeVisible()
  },
  'order-being-cancelled': async (page) => {
    // As on a feed that is behind, which the simulated market is not.
    const answer = await page.request.get('/api/v1/orders?status=open')
    const { items } = (await answer.json()) as { items: object[] }
    const cancelAskedAt = new Date().toISOString()
    await page.route(/\/api\/v1\/orders\?.*status=open/u, (route) =>
      route.fulfill({
        json: { items: items.map((order) => ({ ...order, cancelAskedAt })), nextCursor: null },
      }),
    )
    await page.goto('/stocks/orders')
    await expect(page.getByText(/being cancelled: only a price from before/u)).toHaveCount(1)
    await expect(page.getByRole('button', { name: /^Cancel/u })).toHaveCount(0)
  },
  positions: async (page) => {
    await page.goto('/stocks/positions')
    await expect(page.getByText('Average cost').first()).toBeVisible()
  },
  'home-with-shares': async (page) => {
    await page.goto('/')
    await expect(page.getByRole('link', { name: /AAPL/u }).first()).toBeVisible()
  },
  'send-shares': async (page) => {
    await page.goto('/send?asset=AAPL&amount=0.05')
    await expect(page.getByText(/^Available.*AAPL/u)).toBeVisible()
  },
}

for (const [size, device] of Object.entries(SIZES)) {
  test(`no page of stocks has an accessibility finding: ${size}`, async ({ open, address }) => {
    const { page, expectFault } = await open({ ...device, reducedMotion: 'reduce' })
    // A ticker that nobody has, and a limit that is refused while it is previewed.
    expectFault(/(?:404|422).*\/(?:instruments\/ZZZZZZ|orders\/preview)/u)
    await signUp(page, address, 'Ala Makota')
    const look = (name: string, state: () => Promise<void>) =>
      test.step(name, async () => {
        await state()
        await lookAt(page, `${name}-${size}`)
      })
    await look('stocks-new', async () => {
      await page.goto('/stocks')
      await expect(page.getByText('You watch nothing yet.')).toBeVisible()
      await expect(page.getByText('No shares yet')).toBeVisible()
    })
    await buySomeShares(page, address)
    const low = { instrument: 'MSFT', side: 'buy', type: 'limit', quantity: '1', limitPrice: '1.00' }
    expect((await post(page, address, '/orders', { ...low, timeInForce: 'gtc' })).status()).toBe(201)
    for (const [name, state] of Object.entries(STATES)) {
      await look(name, () => state(page, size === 'phone'))
    }
  })
}
