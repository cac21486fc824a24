import { expect, signUp, test } from './fixtures.ts'

test('a conversion is made with the keyboard alone', async ({ open, address }) => {
  const { page } = await open()
  await signUp(page, address, 'Kasia')
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()

  const focused = () =>
    page.evaluate(
      () => document.activeElement?.textContent?.trim() || document.activeElement?.getAttribute('aria-label'),
    )
  const tabTo = async (wanted: RegExp) => {
    for (let presses = 0; presses < 30; presses++) {
      await page.keyboard.press('Tab')
      if (wanted.test((await focused()) ?? '')) return
    }
    throw new Error(`never reached ${String(wanted)}, last at ${String(await focused())}`)
  }

  await page.keyboard.press('Tab')
  expect(await focused()).toBe('Skip to content')
  await tabTo(/^Convert$/u)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'Convert', level: 1 })).toBeFocused()

  await tabTo(/^EUR/u)
  await page.keyboard.press('Tab')
  await expect(page.getByLabel('You pay', { exact: true })).toBeFocused()
  await page.keyboard.type('250')
  await tabTo(/^PLN|^USD/u)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('listbox')).toBeVisible()
  await page.keyboard.type('zloty')
  await page.keyboard.press('Enter')
  await expect(page.getByRole('button', { name: 'Currency you get: PLN' })).toBeFocused()
  await expect(page.getByText(/^1 EUR = /u)).toBeVisible()
  await tabTo(/^Convert 250\.00/u)
  await page.keyboard.press('Enter')
  await expect(page.getByRole('heading', { name: 'You received' })).toBeFocused()
})

test('a dialog keeps the focus inside and gives it back', async ({ open, address }) => {
  const { page } = await open()
  await signUp(page, address, 'Hela')
  await page.goto('/')
  const button = page.getByRole('button', { name: 'Add money' })
  await button.focus()
  await page.keyboard.press('Enter')
  await expect(page.getByRole('dialog')).toBeVisible()
  for (let presses = 0; presses < 8; presses++) {
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.closest('[role=dialog]') !== null)).toBe(true)
  }
  await page.keyboard.press('Escape')
  await expect(button).toBeFocused()
})
