import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, post, signUp, test } from './fixtures.ts'
import { lookAt, SIZES } from './look.ts'

/** A customer's program: answers the challenge as long as its status is 200, and keeps what it is told. */
async function startReceiver() {
  const told: string[] = []
  const state = { status: 200 }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      told.push((JSON.parse(body) as { type: string }).type)
      response.writeHead(state.status).end(state.status === 200 ? body : 'not today')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, told, state, close: () => server.close() }
}

for (const [size, device] of Object.entries(SIZES)) {
  test(`money that comes in is told in the app and to a webhook: ${size}`, async ({ open, address }) => {
    const receiver = await startReceiver()
    const { page } = await open({ ...device, reducedMotion: 'reduce' })
    const friend = await open()
    await signUp(friend.page, address, 'Wanda Nowak')
    const handle = await signUp(page, address, 'Ala Makota')
    const picture = (name: string) => lookAt(page, `${name}-${size}`)

    await page.goto('/settings')
    await page.getByRole('link', { name: /^Webhooks/u }).click()
    await expect(page.getByText('No webhooks')).toBeVisible()
    await page.getByRole('button', { name: 'Add a webhook' }).click()
    await page.getByLabel('Address').fill(receiver.url)
    await picture('webhook-form')
    await page.getByRole('dialog').getByRole('button', { name: 'Add a webhook' }).click()
    await expect(page.getByTestId('secret')).toHaveText(/^whsec_/u)
    await picture('webhook-secret')
    await page.getByRole('button', { name: 'Done' }).click()
    await expect(page.getByText('on', { exact: true })).toBeVisible()

    const sent = await post(friend.page, address, '/transfers', {
      to: `@${handle}`,
      asset: 'EUR',
      amount: '20.50',
      note: 'for lunch',
    })
    expect(sent.status()).toBe(201)
    await expect.poll(() => receiver.told).toContain('notice.created')
    expect(receiver.told).toContain('operation.posted')

    receiver.state.status = 500
    await page.getByRole('button', { name: 'Send a test' }).click()
    await expect(page.getByText('not today')).toBeVisible()
    await expect(page.getByText('failing', { exact: true })).toBeVisible()
    await picture('webhook-failing')

    await page.getByRole('link', { name: /^Notices, 1 unread/u }).click()
    await expect(page.getByText(/^You received 20\.50.EUR from/u)).toBeVisible()
    await expect(page.getByRole('link', { name: 'Notices', exact: true })).toBeVisible()
    await picture('notices-one')
    receiver.close()
  })
}

test('a webhook is changed, repeated and deleted by keyboard alone', async ({ open, address }) => {
  const receiver = await startReceiver()
  const { page } = await open()
  await signUp(page, address, 'Klara')
  const url = receiver.url
  expect((await post(page, address, '/webhooks', { url, events: ['notice.created'] })).status()).toBe(201)
  await page.goto('/settings/webhooks')
  await expect(page.getByText('on', { exact: true })).toBeVisible()
  await page.getByRole('button', { name: 'Send a test' }).press('Enter')
  await expect.poll(() => receiver.told).toEqual(['webhook.verification', 'webhook.test'])
  await page
    .getByRole('button', { name: /^Resend webhook.test/u })
    .first()
    .press('Enter')
  await expect.poll(() => receiver.told).toHaveLength(3)
  await page.getByRole('button', { name: 'New secret' }).press('Enter')
  await expect(page.getByTestId('secret')).toHaveText(/^whsec_/u)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Switch off' }).press('Enter')
  await expect(page.getByText('You switched it off.')).toBeVisible()
  await page.getByRole('button', { name: 'Delete', exact: true }).press('Enter')
  await page.getByRole('button', { name: /^Delete 127/u }).press('Enter')
  await expect(page.getByText('No webhooks')).toBeVisible()
  receiver.close()
})

test('a browser in which nobody is signed in any more is not pushed to', async ({ open, address }) => {
  const { page } = await open()
  await page.addInitScript(() => {
    const unsubscribe = async () => (sessionStorage.setItem('push', 'ended'), true)
    const pushManager = { getSubscription: async () => ({ unsubscribe }) }
    Object.assign(navigator.serviceWorker, { getRegistration: async () => ({ pushManager }) })
  })
  await signUp(page, address, 'Nina')
  await page.goto('/settings')
  await expect(page.getByText('this device')).toBeVisible()
  expect(await page.evaluate(() => sessionStorage.getItem('push'))).toBeNull()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await expect(page).toHaveURL(/sign-in/u)
  await expect.poll(() => page.evaluate(() => sessionStorage.getItem('push'))).toBe('ended')
})

test('a browser whose push service fails says so, and its worker shows what is pushed', async ({
  open,
  address,
}) => {
  const { page } = await open({ permissions: ['notifications'] })
  // The service itself is the browser maker's, on the internet; everything on this side of it is real.
  await page.addInitScript(() => {
    Notification.requestPermission = async () => 'granted'
    PushManager.prototype.subscribe = async () => {
      throw new DOMException('push service error', 'AbortError')
    }
  })
  await signUp(page, address, 'Piotr')
  await page.goto('/settings')
  await page.getByRole('button', { name: 'Push to this browser' }).click()
  await expect(page.getByText('It could not be turned on')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Push to this browser' })).toBeEnabled()

  const devTools = await page.context().newCDPSession(page)
  const registered = new Promise<string>((resolve) => {
    devTools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations: [first] }) => {
      if (first !== undefined) resolve(first.registrationId)
    })
  })
  await devTools.send('ServiceWorker.enable')
  await devTools.send('ServiceWorker.deliverPushMessage', {
    origin: address,
    registrationId: await registered,
    data: JSON.stringify({
      noticeId: 'n1',
      title: 'Kantor',
      text: 'You received 5.00 EUR',
      path: '/notices',
    }),
  })
  const shown = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready
      return (await registration.getNotifications()).map(({ title, body, tag }) => ({ title, body, tag }))
    })
  await expect.poll(shown).toEqual([{ title: 'Kantor', body: 'You received 5.00 EUR', tag: 'n1' }])
})

test('what one is told can be chosen, stays chosen, and a refused change is taken back', async ({
  open,
  address,
}) => {
  const { page, expectFault } = await open()
  await signUp(page, address, 'Olga')
  await page.goto('/settings')
  const box = page.getByRole('checkbox', { name: 'Money comes in: In the app' })
  await expect(box).toBeChecked()
  await box.press('Space')
  await expect(box).not.toBeChecked()
  await page.reload()
  await expect(box).not.toBeChecked()
  expectFault(/503/u)
  await page.route('**/api/v1/notification-preferences', (route) =>
    route.request().method() === 'PATCH'
      ? route.fulfill({
          status: 503,
          contentType: 'application/problem+json',
          json: { type: '', title: '', status: 503, code: 'unavailable', detail: '', requestId: 'x' },
        })
      : route.continue(),
  )
  await box.press('Space')
  await expect(page.getByRole('alert')).toBeVisible()
  await expect(box).not.toBeChecked()
})
