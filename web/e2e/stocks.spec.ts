import { balanceOf, expect, signUp, test } from './fixtures.ts'
import { FILL_MS_MAX, openTicket, waitForPrices } from './stocks-steps.ts'

test('a stock is found, bought with another currency, half of it sold, explained, and a part sent on', async ({
  open,
  address,
}) => {
  const ala = await open()
  const edek = await open()
  await signUp(ala.page, address, 'Ala Makota')
  const edekHandle = await signUp(edek.page, address, 'Edward Kowalski')
  const { page } = ala
  await waitForPrices(page, address)

  await page.goto('/')
  await page.getByRole('navigation').getByRole('link', { name: 'Stocks' }).click()
  await expect(page.getByRole('heading', { name: 'Stocks', level: 1 })).toBeFocused()
  await page.getByLabel('Search stocks').fill('aapl')
  await expect(page.getByRole('option').first()).toContainText('AAPL')
  await page.getByLabel('Search stocks').press('Enter')
  await expect(page.getByText('Key figures')).toBeVisible()
  await expect(page.locator('canvas').first()).toBeVisible()
  await expect(page.getByText('simulated market').first()).toBeVisible()
  await page.getByRole('button', { name: 'Watch' }).click()
  await expect(page.getByRole('button', { name: 'Watching' })).toBeVisible()

  const ticket = await openTicket(page, 'AAPL')
  await ticket.getByRole('button', { name: /^Pay from/u }).click()
  await page.getByRole('option', { name: /EUR/u }).click()
  await ticket.getByLabel('Spend at most').fill('50')
  await expect(ticket.getByText('Exchange rate')).toBeVisible()
  await expect(ticket.getByText('Set aside until filled')).toBeVisible()
  await ticket.getByRole('button', { name: 'Buy AAPL for 50.00 EUR' }).click()
  await expect(page.getByRole('heading', { name: 'Order placed: Buy AAPL' })).toBeFocused()
  await expect(page.getByText('filled', { exact: true })).toBeVisible({ timeout: FILL_MS_MAX })
  const bought = Number(await balanceOf(page, address, 'AAPL'))
  expect(bought).toBeGreaterThan(0)
  expect(Number(await balanceOf(page, address, 'EUR'))).toBeGreaterThanOrEqual(9950)
  await expect(page.getByText('Average cost')).toBeVisible()

  await page.getByRole('button', { name: 'Sell', exact: true }).click()
  const half = (bought / 2).toFixed(9)
  await ticket.getByLabel('How many shares').fill(half)
  await ticket.getByRole('button', { name: /^Sell 0\.\d+ AAPL/u }).click()
  await expect(page.getByRole('heading', { name: 'Order placed: Sell AAPL' })).toBeFocused()
  await expect(page.getByText('filled', { exact: true })).toBeVisible({ timeout: FILL_MS_MAX })
  expect(Number(await balanceOf(page, address, 'AAPL'))).toBeCloseTo(bought / 2, 6)

  await page.goto('/history?kind=trade')
  await page.getByRole('button', { name: /Sold AAPL/u }).click()
  await expect(page.getByText('Sealed in block')).toBeVisible()
  await page.getByText(/entries in the ledger/u).click()
  await expect(page.getByText('house, brokerage').first()).toBeVisible()
  await expect(page.getByRole('button', { name: /Bought AAPL/u })).toBeVisible()

  await page.goto('/send?asset=AAPL&amount=0.01')
  await page.getByLabel('To', { exact: true }).fill(`@${edekHandle}`)
  await page.getByRole('option').click()
  await page.getByRole('button', { name: `Send 0.01 AAPL to @${edekHandle}` }).click()
  await expect(page.getByRole('heading', { name: `Sent to @${edekHandle}` })).toBeFocused()

  await edek.page.goto('/stocks')
  await expect(edek.page.getByText('0.01 shares')).toBeVisible()
  await edek.page.goto('/')
  await expect(edek.page.getByRole('link', { name: /AAPL.*0\.01/u })).toBeVisible()
})

test('a waiting order can be taken back, and what was set aside is there again', async ({
  open,
  address,
}) => {
  const { page, expectFault } = await open()
  await signUp(page, address, 'Ewa')
  await waitForPrices(page, address)
  await page.goto('/stocks/MSFT')
  const ticket = await openTicket(page, 'MSFT')
  await ticket.getByRole('radio', { name: 'Limit' }).check()
  await ticket.getByRole('radio', { name: 'Shares' }).check()
  await ticket.getByLabel('How many shares').fill('2')
  await ticket.getByLabel('At most, USD a share').fill('10')
  await ticket.getByLabel('Good for').selectOption('until cancelled')
  await ticket.getByRole('button', { name: 'Buy 2 MSFT' }).click()
  await expect(page.getByRole('heading', { name: 'Order placed: Buy MSFT' })).toBeFocused()
  expect(Number(await balanceOf(page, address, 'USD'))).toBeLessThan(5000)

  await page.getByRole('link', { name: 'All orders' }).first().click()
  await expect(page.getByText('2 MSFT at 10.00 USD or better')).toBeVisible()
  await page.getByRole('button', { name: 'Cancel: Buy MSFT' }).click()
  await expect(page.getByText('The order for MSFT is cancelled.')).toBeVisible()
  await expect(page.getByText('No open orders')).toBeVisible()
  expect(await balanceOf(page, address, 'USD')).toBe('5000.00')

  await page.goto('/history?asset=USD')
  await expect(page.getByRole('button', { name: /^Released .*Buy MSFT/u })).toBeVisible()
  await expect(page.getByRole('button', { name: /^Held .*Buy MSFT/u })).toBeVisible()

  expectFault(/422/u)
  await page.goto('/stocks/MSFT')
  await ticket.getByRole('button', { name: /^Pay from/u }).click()
  await page.getByRole('option', { name: /PLN/u }).click()
  await ticket.getByLabel('Spend at most').fill('100')
  await ticket.getByRole('button', { name: 'Buy MSFT for 100.00 PLN' }).click()
  await expect(ticket.getByRole('alert')).toContainText('You do not have that much.')
})
