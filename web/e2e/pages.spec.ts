import type { Page } from '@playwright/test'
import { accessibilityFindings, expect, post, signUp, test } from './fixtures.ts'
import { lookAt, SIZES } from './look.ts'

/** Every page in the states that a customer meets; each is looked at by axe and kept as a picture. */
const STATES: Record<string, (page: Page) => Promise<void>> = {
  home: async (page) => {
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()
    await expect(page.getByText('Mid rates')).toBeVisible()
  },
  'add-money': async (page) => {
    await page.goto('/')
    await page.getByRole('button', { name: 'Add money' }).click()
    await page.getByLabel('You add').fill('100')
  },
  'convert-empty': async (page) => {
    await page.goto('/convert')
    await expect(page.getByText('Type either amount')).toBeVisible()
  },
  convert: async (page) => {
    await page.goto('/convert?from=EUR&to=PLN&amount=1000')
    await expect(page.getByText('Our margin')).toBeVisible()
  },
  'convert-picker': async (page) => {
    await page.goto('/convert?from=EUR&to=PLN')
    await page.getByRole('button', { name: /^Currency you get/u }).click()
    await expect(page.getByRole('option').first()).toBeVisible()
  },
  'convert-receipt': async (page) => {
    await page.goto('/convert?from=EUR&to=PLN&amount=10')
    await page.getByRole('button', { name: 'Convert 10.00 EUR' }).click()
    await expect(page.getByRole('heading', { name: 'You received' })).toBeVisible()
  },
  send: async (page) => {
    await page.goto('/send')
    await expect(page.getByRole('heading', { name: 'Recent' })).toBeVisible()
  },
  'send-ready': async (page) => {
    await page.goto('/send?asset=EUR&amount=20')
    await page.getByRole('list', { name: 'Recent' }).getByRole('button').first().click()
    await expect(page.getByRole('button', { name: /^Send 20\.00/u })).toBeEnabled()
  },
  history: async (page) => {
    await page.goto('/history')
    await expect(page.getByText('That is everything.')).toBeVisible()
  },
  'history-filters': async (page) => {
    await page.goto('/history?asset=EUR')
    await page.getByRole('button', { name: /Filters/u }).click()
    await expect(page.getByLabel('At least')).toBeVisible()
  },
  'history-explained': async (page) => {
    await page.goto('/history?kind=conversion')
    await page
      .getByRole('button', { name: /EUR → PLN/u })
      .first()
      .click()
    await page.getByText(/entries in the ledger/u).click()
    await expect(page.getByText(/Sealed in block/u)).toBeVisible()
  },
  'history-no-match': async (page) => {
    await page.goto('/history?q=nothingofthekind')
    await expect(page.getByText('Nothing matches')).toBeVisible()
  },
  settings: async (page) => {
    await page.goto('/settings')
    await expect(page.getByText('this device')).toBeVisible()
  },
  notices: async (page) => {
    await page.goto('/notices')
    await expect(page.getByRole('heading', { name: 'Notices', level: 1 })).toBeVisible()
    await expect(page.getByText(/Nothing to tell yet|You received/u).first()).toBeVisible()
  },
  notifications: async (page) => {
    await page.goto('/settings#notifications')
    await page.getByRole('checkbox', { name: 'Money comes in: In the app' }).scrollIntoViewIfNeeded()
    await expect(page.getByRole('checkbox', { name: 'Money comes in: In the app' })).toBeChecked()
  },
  'webhooks-none': async (page) => {
    await page.goto('/settings/webhooks')
    await expect(page.getByText('No webhooks')).toBeVisible()
  },
  'webhooks-add': async (page) => {
    await page.goto('/settings/webhooks')
    await page.getByRole('button', { name: 'Add a webhook' }).click()
    await expect(page.getByLabel('Address')).toBeVisible()
  },
  missing: async (page) => {
    await page.goto('/no-such-page')
    await expect(page.getByRole('link', { name: 'Go to Home' })).toBeVisible()
  },
}

const OUTSIDE: Record<string, (page: Page) => Promise<void>> = {
  'sign-in': async (page) => {
    await page.goto('/sign-in')
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  },
  'sign-up': async (page) => {
    await page.goto('/sign-up')
    await page.getByLabel('Your name').fill('Łucja Żak')
    await page.getByLabel('Password', { exact: true }).fill('lucja zak 1')
    await expect(page.getByText(/^(Good|Very good|Still easy|Very easy|Among)/u)).toBeVisible()
  },
  'sign-up-errors': async (page) => {
    await page.goto('/sign-up')
    await page.getByRole('button', { name: 'Open the wallet' }).click()
    await expect(page.getByLabel('Your name')).toBeFocused()
  },
}

test('whoever looks for accessibility findings finds them', async ({ open }) => {
  const { page } = await open()
  await page.goto('/sign-in')
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.evaluate(() => {
    const main = document.querySelector('main')
    main?.append(document.createElement('img'), document.createElement('input'))
    const faint = main?.querySelector('label')
    if (faint) faint.style.color = '#ddd'
  })
  const rules = (await accessibilityFindings(page)).map((finding) => finding.split(':')[0])
  expect(rules).toEqual(expect.arrayContaining(['color-contrast', 'image-alt', 'label']))
})

test('nothing moves for whoever asks for less motion, not even a change of theme', async ({
  open,
  address,
}) => {
  const moving = async (reducedMotion: 'reduce' | 'no-preference') => {
    const { page } = await open({ reducedMotion })
    await signUp(page, address, 'Ida Mrok')
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()
    await page.waitForFunction(() => document.getAnimations().length === 0)
    return page.evaluate(() => {
      document.documentElement.dataset['theme'] = 'dark'
      return document.getAnimations().length
    })
  }
  expect(await moving('no-preference')).toBeGreaterThan(0)
  expect(await moving('reduce')).toBe(0)
})

for (const [size, device] of Object.entries(SIZES)) {
  test(`no page has an accessibility finding: ${size}`, async ({ open, address }) => {
    const { page } = await open({ ...device, reducedMotion: 'reduce' })
    const look = async (name: string, state: (page: Page) => Promise<void>) =>
      test.step(name, async () => {
        await state(page)
        await lookAt(page, `${name}-${size}`)
      })
    for (const [name, state] of Object.entries(OUTSIDE)) await look(name, state)

    const friend = await open()
    const friendHandle = await signUp(friend.page, address, 'Wanda Nowak-Wiśniewska')
    await signUp(page, address, 'Ala Makota')
    await look('home-new', STATES['home'] ?? (async () => {}))
    await someHistory(page, address, friendHandle)
    for (const [name, state] of Object.entries(STATES)) await look(name, state)
  })
}

async function someHistory(page: Page, address: string, friend: string): Promise<void> {
  const quote = await post(page, address, '/conversion-quotes', {
    from: 'EUR',
    to: 'PLN',
    fromAmount: '1000.00',
  })
  const { id } = (await quote.json()) as { id: string }
  expect((await post(page, address, '/conversions', { quoteId: id })).status()).toBe(201)
  const note = 'Rent for November, and the bills for electricity, gas and water that came on Monday'
  for (const amount of ['20.50', '1234.05']) {
    const sent = await post(page, address, '/transfers', { to: `@${friend}`, asset: 'EUR', amount, note })
    expect(sent.status()).toBe(201)
  }
}
