import { expect, post, signUp, test } from './fixtures.ts'

test('what one person sends shows at the other without a reload, also after a break of the line', async ({
  open,
  address,
}) => {
  const ala = await open()
  const edek = await open()
  await signUp(ala.page, address, 'Ala')
  const handle = await signUp(edek.page, address, 'Edek')
  const send = async (amount: string) => {
    const answer = await post(ala.page, address, '/transfers', { to: `@${handle}`, asset: 'EUR', amount })
    expect(answer.status()).toBe(201)
  }

  const { page } = edek
  await page.goto('/')
  const euros = page.getByRole('link', { name: /EUR/u }).filter({ hasText: '10,000.00' }).first()
  await expect(euros).toBeVisible()
  await expect(page.getByTitle('Live: changes show as they happen')).toBeVisible()
  // A page that was loaded again would have lost this.
  await page.evaluate(() => Object.assign(window, { stayed: true }))
  const before = await page.getByRole('heading', { name: 'Balances' }).boundingBox()

  await send('12.34')
  await expect(
    page.getByRole('link', { name: /EUR/u }).filter({ hasText: '10,012.34' }).first(),
  ).toBeVisible()
  expect(await page.getByRole('heading', { name: 'Balances' }).boundingBox()).toEqual(before)
  await expect(page.getByText(/12\.34/u).first()).toBeVisible()

  edek.expectFault(/ERR_INTERNET_DISCONNECTED|ERR_NETWORK/u)
  await page.context().setOffline(true)
  await send('7.66')
  await page.context().setOffline(false)
  await expect(
    page.getByRole('link', { name: /EUR/u }).filter({ hasText: '10,020.00' }).first(),
  ).toBeVisible()
  expect(await page.evaluate(() => 'stayed' in window)).toBe(true)
})

test('a tab whose session is ended elsewhere is told so, and asks to sign in', async ({ open, address }) => {
  const { page, expectFault } = await open()
  await signUp(page, address, 'Ola')
  await page.goto('/')
  await expect(page.getByTitle('Live: changes show as they happen')).toBeVisible()
  expectFault(/401/u)
  await page.request.post(`${address}/api/v1/auth/sign-out`, { headers: { origin: address } })
  await expect(page.getByRole('heading', { name: 'Sign in' })).toBeVisible()
})

test('a page that cannot be loaded without a network says so, and comes when the network is back', async ({
  open,
  address,
}) => {
  const { page, expectFault } = await open()
  expectFault(/ERR_INTERNET_DISCONNECTED|Failed to fetch/u)
  await signUp(page, address, 'Ala Makota')
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()
  await page.context().setOffline(true)
  await page.getByRole('link', { name: 'History', exact: true }).click()
  const again = page.getByRole('button', { name: 'Try again' })
  await again.click()
  await expect(again).toBeVisible()
  await page.context().setOffline(false)
  await again.click()
  await expect(page.getByRole('heading', { name: 'History', level: 1 })).toBeVisible()
})
