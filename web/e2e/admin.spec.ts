import type { Page } from '@playwright/test'
import { expect, signUp, test } from './fixtures.ts'
import { lookAt, SIZES } from './look.ts'

const jobRow = (page: Page, name: string) =>
  page.getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) })

test('a customer sees no back office, and an admin named on the machine finds it at once', async ({
  open,
  server,
}) => {
  const { page } = await open()
  const handle = await signUp(page, server.address, 'Szefowa')
  await page.goto('/admin')
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()
  await expect(page.getByRole('link', { name: 'Back office' })).toHaveCount(0)

  expect(await server.command('admin', 'grant', handle)).toBe(`@${handle} is now an admin.\n`)
  await page.reload()
  await page.getByRole('link', { name: 'Back office' }).press('Enter')
  await expect(page.getByRole('heading', { name: 'Back office', level: 1 })).toBeFocused()
  // On a busy machine a first poll may have waited too long for a lock; its next one makes up for that.
  await expect(async () => {
    await page.reload()
    await expect(page.getByText('Nothing has failed')).toBeVisible({ timeout: 10_000 })
  }).toPass({ timeout: 180_000 })

  const sweep = jobRow(page, 'sweep-identity')
  await sweep.getByRole('button', { name: 'Run now: sweep-identity' }).press('Enter')
  await expect(page.getByText('sweep-identity will run now.')).toBeVisible()
  await expect(sweep.getByText('went well')).toBeVisible()
  await expect(sweep.getByText(/\b[1-9] runs?\b/u)).toBeVisible()

  await server.command('admin', 'revoke', handle)
  await page.reload()
  await expect(page.getByRole('heading', { name: 'There is no such page' })).toBeVisible()
})

/** As the server would answer if this had gone wrong. */
async function withTrouble(page: Page): Promise<void> {
  const failed = {
    id: '7',
    name: 'thin-out-stocks',
    state: 'givenUp',
    attempts: 3,
    attemptsMax: 3,
    lastError: 'canceling statement due to statement timeout',
    runAt: new Date().toISOString(),
  }
  await page.route('**/api/v1/admin/jobs/failed', (route) =>
    route.fulfill({
      json: { items: [failed, { ...failed, id: '8', state: 'waiting', attempts: 1 }], nextCursor: null },
    }),
  )
  const letter = {
    id: '0190c7a2-0000-7000-8000-000000000001',
    consumer: 'notifications',
    seq: '4096',
    reason: 'value too long for type character varying(40)',
    tries: 6,
    diedAt: new Date().toISOString(),
    isReplayed: false,
  }
  await page.route('**/api/v1/admin/events/dead-letters', (route) =>
    route.fulfill({
      json: { items: [letter, { ...letter, id: letter.id.replace(/1$/u, '2') }], nextCursor: null },
    }),
  )
  await page.route('**/api/v1/admin/providers', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/problem+json',
      json: {
        type: '/docs/errors#unavailable',
        title: 'Unavailable',
        status: 503,
        code: 'unavailable',
        detail: '',
        requestId: 'r',
      },
    }),
  )
}

for (const [size, device] of Object.entries(SIZES)) {
  test(`the back office has no accessibility finding: ${size}`, async ({ open, server }) => {
    const watched = await open({ ...device, reducedMotion: 'reduce' })
    const { page } = watched
    const handle = await signUp(page, server.address, 'Szefowa')
    await server.command('admin', 'grant', handle)
    await page.goto('/admin')
    await expect(
      page.getByText('Shares owed to customers').or(page.getByText('Paid in and out')).first(),
    ).toBeVisible()
    await expect(page.getByText('simulated market').first()).toBeVisible()
    await expect(page.getByText('Published blocks')).toBeVisible()
    await lookAt(page, `admin-${size}`)

    watched.expectFault(/503.*\/admin\/providers$/u)
    await withTrouble(page)
    await page.reload()
    await expect(page.getByText('3 of 3 tries')).toBeVisible()
    await expect(page.getByRole('button', { name: 'Discard: notifications' })).toHaveCount(2)
    await expect(page.getByText(/not ready|does not answer|moment/iu).first()).toBeVisible()
    await lookAt(page, `admin-trouble-${size}`)
    await page.getByRole('button', { name: 'Retry all of notifications' }).click()
    await expect(page.getByText('notifications is tried again.')).toBeVisible()
  })
}

test('a failed job is retried from its row, in Polish too', async ({ open, server }) => {
  const { page } = await open()
  const handle = await signUp(page, server.address, 'Szefowa')
  await page.request.patch(`${server.address}/api/v1/me`, {
    headers: { origin: server.address },
    data: { locale: 'pl' },
  })
  await server.command('admin', 'grant', handle)
  await withTrouble(page)
  await page.unroute('**/api/v1/admin/providers')
  const retried: string[] = []
  await page.route('**/api/v1/admin/jobs/failed/*/retry', (route) => {
    retried.push(route.request().url())
    return route.fulfill({ status: 204 })
  })
  await page.goto('/admin')
  await page.getByRole('button', { name: 'Ponów thin-out-stocks' }).first().click()
  await expect(page.getByText('Zadanie thin-out-stocks rusza ponownie.')).toBeVisible()
  expect(retried.map((url) => url.slice(-8))).toEqual(['/7/retry'])
})
