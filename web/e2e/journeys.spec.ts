import { balanceOf, expect, newHandle, PASSWORD, signUp, test } from './fixtures.ts'

test('two people sign up, one converts and sends, and both histories explain it', async ({ open }) => {
  const ala = await open()
  const edek = await open()
  const alaHandle = newHandle('ala')
  const edekHandle = newHandle('edek')

  for (const [{ page }, name, handle] of [
    [ala, 'Ala Makota', alaHandle],
    [edek, 'Edward Kowalski', edekHandle],
  ] as const) {
    await page.goto('/')
    await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
    await page.getByRole('link', { name: 'Open a wallet' }).click()
    await page.getByLabel('Your name').fill(name)
    await expect(page.getByLabel('Handle')).toHaveValue(name.toLowerCase().replace(' ', '_'))
    await page.getByLabel('Handle').fill(handle)
    await page.getByLabel('E-mail').fill(`${handle}@example.com`)
    await page.getByLabel('Password', { exact: true }).fill('password12')
    await expect(page.getByText(/easy to guess|Among the first/u)).toBeVisible()
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await expect(page.getByText(/^(Good|Very good)\.$/u)).toBeVisible()
    await page.getByRole('checkbox', { name: 'PLN' }).click()
    await page.getByRole('button', { name: 'Open the wallet' }).click()
    await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()
    await expect(page.getByRole('link', { name: /PLN/u }).first()).toBeVisible()
  }

  const { page } = ala
  await page.getByRole('navigation').getByRole('link', { name: 'Convert' }).click()
  await expect(page.getByRole('heading', { name: 'Convert', level: 1 })).toBeFocused()
  await page.getByRole('button', { name: /^Currency you get/u }).click()
  await page.getByRole('option', { name: /PLN/u }).click()
  await page.getByLabel('You pay', { exact: true }).fill('2*500')
  await expect(page.getByText('Our margin')).toBeVisible()
  await page.getByRole('button', { name: 'Convert 1,000.00 EUR' }).click()
  await expect(page.getByRole('heading', { name: 'You received' })).toBeFocused()

  await page.getByRole('navigation').getByRole('link', { name: 'Send' }).click()
  await page.getByLabel('To', { exact: true }).fill(`@${edekHandle}`)
  await page.getByRole('option').click()
  await expect(page.getByLabel('Amount')).toBeFocused()
  await page.getByLabel('Amount').fill('20.5')
  await page.getByLabel('Note').fill('Lunch on Thursday')
  await page.getByRole('button', { name: `Send 20.50 EUR to @${edekHandle}` }).click()
  await expect(page.getByRole('heading', { name: `Sent to @${edekHandle}` })).toBeFocused()

  await page.getByRole('link', { name: 'Explain it' }).click()
  await expect(page.getByText(/Sealed in block/u)).toBeVisible()
  await page.getByRole('button', { name: /EUR → PLN/u }).click()
  await expect(page.getByText('Mid rate')).toBeVisible()
  await page.getByText(/entries in the ledger/u).click()
  await expect(page.getByText('house, fees')).toBeVisible()

  await edek.page.goto('/history?q=lunch')
  await expect(edek.page.getByRole('button', { name: /@ala_.*20\.50/u })).toBeVisible()
  await edek.page.getByRole('button', { name: /Filters/u }).click()
  await edek.page.getByLabel('Kind').selectOption('Conversion')
  await expect(edek.page.getByText('Nothing matches')).toBeVisible()
})

test('signing out ends the session, a wrong password says so, and the right one leads back', async ({
  open,
  address,
}) => {
  const { page, expectFault } = await open()
  const handle = await signUp(page, address, 'Ola')
  await page.goto('/settings')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
  await page.goto('/history')
  await expect(page).toHaveURL(/next=\/history|next=%2Fhistory/u)

  expectFault(/401/u)
  await page.getByLabel('E-mail').fill(`${handle}@example.com`)
  await page.getByLabel('Password', { exact: true }).fill('not the password')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('alert')).toContainText('do not match')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await expect(page.getByRole('heading', { name: 'History', level: 1 })).toBeVisible()
})

test('a conversion whose answer is lost on the way happens once', async ({ open, address }) => {
  const { page, expectFault } = await open()
  await signUp(page, address, 'Zosia')
  expectFault(/ERR_|Failed to load/u)
  let lost = 0
  await page.route('**/api/v1/conversions', async (route) => {
    if (lost++ > 0) return route.continue()
    // It reaches the server, which does it; only the answer never arrives.
    await route.fetch()
    return route.abort('connectionreset')
  })
  await page.goto('/convert?from=EUR&to=PLN&amount=100')
  await page.getByRole('button', { name: 'Convert 100.00 EUR' }).click()
  await expect(page.getByRole('heading', { name: 'You received' })).toBeVisible()
  expect(lost).toBe(2)
  expect(await balanceOf(page, address, 'EUR')).toBe('9900.00')
})

test('what cannot be afforded, found or priced is said beside what was typed', async ({ open, address }) => {
  const { page, expectFault } = await open()
  const handle = await signUp(page, address, 'Ewa')
  const friend = await open()
  const friendHandle = await signUp(friend.page, address, 'Jan')
  await page.goto('/send')
  await page.getByLabel('To', { exact: true }).fill('@nobody_at_all')
  await expect(page.getByText('Nobody here has the handle')).toBeVisible()
  await page.getByLabel('To', { exact: true }).fill(`${friendHandle}@example.com`)
  await page.getByRole('option').click()
  await page.getByLabel('Amount').fill('99999')
  await expect(page.getByText('You do not have that much.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toBeDisabled()

  expectFault(/422/u)
  await page.goto('/convert?from=EUR&to=PLN')
  await page.getByLabel('You get', { exact: true }).fill('0.001')
  await page.getByLabel('You pay', { exact: true }).focus()
  await expect(page.getByText('PLN has at most 2 decimals.')).toBeVisible()
  await page.getByLabel('You pay', { exact: true }).fill('10000.01')
  await expect(page.getByText('You do not have that much.')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Convert', exact: true })).toBeDisabled()
  expect(handle).not.toBe(friendHandle)
})

test('the page speaks Polish, figures and plurals included, and keeps it', async ({ open, address }) => {
  const { page } = await open({ locale: 'pl-PL' })
  await page.goto('/sign-up')
  await expect(page.getByRole('heading', { name: 'Otwórz portfel' })).toBeVisible()
  await signUp(page, address, 'Łucja', { name: 'Łucja Żak' })
  await page.goto('/settings')
  await page.getByRole('radio', { name: 'Polski' }).check()
  await expect(page.getByText('Zapisano.')).toBeVisible()
  await page.getByRole('radio', { name: 'Ciemny' }).check()
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
  await page.goto('/convert?from=EUR&to=PLN&amount=1000')
  await expect(page.getByRole('button', { name: 'Wymień 1000,00 EUR' })).toBeVisible()
  await expect(page.locator('html')).toHaveAttribute('lang', 'pl')
  await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark')
})

test('an API key is shown once, works, and dies when revoked; another device can be signed out', async ({
  open,
  address,
  playwright,
}) => {
  const { page } = await open()
  const handle = await signUp(page, address, 'Iga')
  const other = await open()
  await other.page.request.post(`${address}/api/v1/auth/sign-in`, {
    headers: { origin: address },
    data: { email: `${handle}@example.com`, password: PASSWORD },
  })
  await page.goto('/settings')
  await page.getByRole('button', { name: 'New key' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('bookkeeping')
  await dialog.getByRole('button', { name: 'Create key' }).click()
  const key = (await dialog.getByTestId('secret').textContent())?.trim() ?? ''
  await dialog.getByRole('button', { name: 'Done' }).click()

  const program = await playwright.request.newContext({
    extraHTTPHeaders: { authorization: `Bearer ${key}` },
  })
  expect((await program.get(`${address}/api/v1/wallet`)).status()).toBe(200)
  await page.getByRole('button', { name: 'Revoke bookkeeping' }).click()
  await expect(page.getByText('The key is revoked.')).toBeVisible()
  expect((await program.get(`${address}/api/v1/wallet`)).status()).toBe(401)

  await page.getByRole('button', { name: /^Revoke Chrome/u }).click()
  await expect(page.getByText('The device is signed out.')).toBeVisible()
  expect((await other.page.request.get(`${address}/api/v1/me`)).status()).toBe(401)
})
