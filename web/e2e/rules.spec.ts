import type { Page } from '@playwright/test'
import { balanceOf, expect, post, signUp, test } from './fixtures.ts'
import { lookAt, SIZES } from './look.ts'

test('a limit conversion is tried out, planned, made by itself and explained', async ({ open, address }) => {
  const { page } = await open()
  await signUp(page, address, 'Ala Makota')
  await page.goto('/convert?from=EUR&to=PLN&amount=100')
  await expect(page.getByText('Our margin')).toBeVisible()
  await page.getByRole('button', { name: 'Convert later or regularly' }).click()
  // Far below any rate there is, so that it is due at once.
  await page.getByLabel('Convert when 1 EUR is at least').fill('2.5')
  await page.getByRole('button', { name: 'How would it have gone?' }).click()
  const tried = page.getByRole('status', { name: 'The past year' })
  await expect(tried).toContainText('1 time')
  await expect(tried).toContainText('simulated market')
  await page.getByRole('button', { name: 'Plan 100.00 EUR' }).click()
  await expect(page.getByText('Planned.', { exact: true })).toBeVisible()
  await expect.poll(() => balanceOf(page, address, 'EUR')).toBe('9900.00')

  await page.goto('/planned')
  await page.getByText('Ended', { exact: true }).click()
  await page.getByRole('button', { name: 'Show 100.00 EUR to PLN' }).click()
  await page.getByRole('link', { name: 'Explain' }).click()
  await expect(page.getByText('limit conversion')).toBeVisible()
  await expect(page.getByText('limit 1 EUR = 2.5')).toBeVisible()
})

test('a standing order is planned, paused, changed and ended, with the keyboard alone where it matters', async ({
  open,
  address,
}) => {
  const friend = await open()
  const handle = await signUp(friend.page, address, 'Wanda Nowak')
  const { page } = await open()
  await signUp(page, address, 'Edward Kowalski')
  await page.goto('/send?asset=EUR&amount=12.5')
  await page.getByLabel('To', { exact: true }).fill(`@${handle}`)
  await page.getByRole('option').click()
  await page.getByRole('button', { name: 'Send later or regularly' }).focus()
  await page.keyboard.press('Enter')
  await page.getByLabel('Day of the month').selectOption('31')
  await page.getByRole('button', { name: 'How would it have gone?' }).click()
  await expect(page.getByRole('status', { name: 'The past year' })).toContainText('12 times')
  await page.getByRole('button', { name: 'Plan 12.50 EUR' }).click()
  await expect(page.getByText('Planned.', { exact: true })).toBeVisible()

  await page.getByRole('link', { name: 'Planned' }).click()
  const name = `12.50 EUR to @${handle}`
  await expect(page.getByText('on the last day of every month, 09:00')).toBeVisible()
  await page.getByRole('button', { name: `Pause ${name}` }).click()
  await page.getByRole('button', { name: `Resume ${name}` }).click()
  await expect(page.getByRole('button', { name: `Pause ${name}` })).toBeVisible()
  await page.getByRole('button', { name: `Show ${name}` }).click()
  await page.getByRole('dialog').getByLabel('Amount').fill('15')
  await page.getByRole('button', { name: 'Save' }).click()
  const changed = `15.00 EUR to @${handle}`
  await page.getByRole('button', { name: `Show ${changed}` }).click()
  await expect(page.getByText('It has not run yet.')).toBeVisible()
  await page.getByRole('button', { name: 'End', exact: true }).click()
  await expect(page.getByRole('button', { name: `Show ${changed}` })).toBeHidden()
})

test('an alert on a stock is made on its page, and one that is there already is refused with the reason', async ({
  open,
  address,
}) => {
  const { page, expectFault } = await open()
  expectFault(/422/u)
  await signUp(page, address, 'Iga Lis')
  await page.goto('/stocks/AAPL')
  await page.getByRole('button', { name: 'Alert on AAPL' }).click()
  await page.getByLabel('Value').fill('1')
  await page.getByRole('button', { name: 'Alert me' }).click()
  await expect(page.getByRole('alert')).toContainText('The value is there already')
  await page.getByLabel('Value').fill('100000')
  await page.getByRole('button', { name: 'Alert me' }).click()
  await expect(page.getByText('You will be told.')).toBeVisible()
  await page.goto('/planned')
  await expect(page.getByText('AAPL at or above 100,000')).toBeVisible()
})

const NAMES = { en: ['Convert later or regularly', 'Show'], pl: ['Wymień później lub cyklicznie', 'Pokaż'] }

for (const [size, device] of Object.entries(SIZES)) {
  for (const language of ['en', 'pl'] as const) {
    test(`planned pages have no accessibility finding: ${size}, ${language}`, async ({ open, address }) => {
      const friend = await open()
      const handle = await signUp(friend.page, address, 'Wanda Nowak-Wiśniewska')
      const locale = language === 'pl' ? 'pl-PL' : 'en-GB'
      const { page } = await open({ ...device, reducedMotion: 'reduce', locale })
      await signUp(page, address, 'Ala Makota')
      const spoken = { headers: { origin: address }, data: { locale: language } }
      expect((await page.request.patch(`${address}/api/v1/me`, spoken)).status()).toBe(200)
      const [later = '', show = ''] = NAMES[language]
      const look = (name: string) => lookAt(page, `${name}-${size}-${language}`)

      await page.goto('/planned')
      await expect(page.getByRole('heading', { level: 2 })).toHaveCount(4)
      await look('planned-empty')
      await somePlans(page, address, handle)
      await page.goto('/planned')
      await expect(page.getByRole('button', { name: new RegExp(`^${show}`, 'u') })).toHaveCount(4)
      await look('planned')
      await page
        .getByRole('button', { name: new RegExp(`^${show}`, 'u') })
        .first()
        .click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await look('planned-one')
      await page.goto('/convert?from=EUR&to=PLN&amount=100')
      await page.getByRole('button', { name: later }).click()
      await expect(page.getByRole('dialog')).toBeVisible()
      await look('plan-conversion')
    })
  }
}

async function somePlans(page: Page, address: string, handle: string): Promise<void> {
  const monthly = { repeat: 'monthly', day: 31, at: '09:00', timeZone: 'Europe/Warsaw' }
  const deal = { from: 'EUR', to: 'PLN', fromAmount: '250.00' }
  const plans: [string, object][] = [
    [
      '/standing-orders',
      { to: `@${handle}`, asset: 'EUR', amount: '1250.00', note: 'rent', schedule: monthly },
    ],
    ['/recurring-conversions', { ...deal, schedule: monthly }],
    ['/conversion-orders', { ...deal, limit: { base: 'EUR', rate: '9.99' } }],
    ['/price-alerts', { pair: { base: 'EUR', counter: 'PLN' }, direction: 'above', value: '9.99' }],
  ]
  for (const [path, body] of plans) expect((await post(page, address, path, body)).status()).toBe(201)
}
