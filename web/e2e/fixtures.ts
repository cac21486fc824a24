import { AxeBuilder } from '@axe-core/playwright'
import { test as base, expect, type Browser, type BrowserContextOptions, type Page } from '@playwright/test'
import { startServer, type RunningServer } from './server.ts'

export { expect } from '@playwright/test'

export const PASSWORD = 'corvid-lantern-mosaic-77'

/** What a page said that nobody should ever see: errors in the console, refused by the policy, thrown. */
export interface Watched {
  page: Page
  faults: string[]
  /** A refusal that the test asks for: the browser reports every 4xx and cut line as an error by itself. */
  expectFault: (pattern: RegExp) => void
}

// Before anybody is signed in, asking who it is answers 401, and the browser reports that.
const ALWAYS_EXPECTED = [/401 \(Unauthorized\).*\/api\/v1\/me$/u]

function watch(page: Page): Watched {
  const faults: string[] = []
  const expected = [...ALWAYS_EXPECTED]
  const note = (text: string) => {
    if (!expected.some((pattern) => pattern.test(text))) faults.push(text)
  }
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning')
      note(`${message.text()} ${message.location().url}`)
  })
  page.on('pageerror', (error) => note(String(error)))
  return { page, faults, expectFault: (pattern) => void expected.push(pattern) }
}

interface Fixtures {
  /** A new person's browser. At the end of the test none of them may have complained. */
  open: (options?: BrowserContextOptions) => Promise<Watched>
}

export const test = base.extend<Fixtures, { server: RunningServer; address: string }>({
  server: [
    // Playwright wants the first argument destructured even where nothing is taken from it.
    async ({}, use) => {
      const server = await startServer()
      await use(server)
      await server.stop()
    },
    { scope: 'worker', timeout: 240_000 },
  ],
  address: [async ({ server }, use) => use(server.address), { scope: 'worker' }],
  baseURL: async ({ address }, use) => use(address),
  open: async ({ browser, address }, use) => {
    const opened: Watched[] = []
    await use(async (options = {}) => {
      const watched = await openPage(browser, address, options)
      opened.push(watched)
      return watched
    })
    for (const { page, faults } of opened) {
      await page.context().close()
      expect(faults, 'nothing in the console').toEqual([])
    }
  },
})

async function openPage(browser: Browser, address: string, options: BrowserContextOptions): Promise<Watched> {
  const context = await browser.newContext({
    baseURL: address,
    locale: 'en-GB',
    timezoneId: 'Europe/Warsaw',
    viewport: { width: 1440, height: 900 },
    ...options,
  })
  return watch(await context.newPage())
}

let people = 0

/** A handle nobody else in this run has. */
export const newHandle = (name: string) =>
  `${name.slice(0, 12)}_${Date.now().toString(36).slice(-5)}${(people++).toString(36)}`

/** Signs up through the API with this page's cookies: for tests that are about something else. */
export async function signUp(
  page: Page,
  address: string,
  name: string,
  change: Record<string, unknown> = {},
) {
  const handle = newHandle(name.toLowerCase().replace(/[^a-z]/gu, ''))
  const answer = await page.request.post(`${address}/api/v1/auth/sign-up`, {
    headers: { origin: address },
    data: {
      email: `${handle}@example.com`,
      password: PASSWORD,
      name,
      handle,
      baseCurrency: 'EUR',
      currencies: ['EUR', 'PLN'],
      ...change,
    },
  })
  expect(answer.status()).toBe(201)
  return handle
}

/** Another money-moving request than the one under test. */
export async function post(page: Page, address: string, path: string, data: unknown) {
  return page.request.post(`${address}/api/v1${path}`, {
    headers: { origin: address, 'idempotency-key': crypto.randomUUID() },
    data,
  })
}

export async function balanceOf(page: Page, address: string, asset: string): Promise<string> {
  const answer = await page.request.get(`${address}/api/v1/wallet`)
  const { balances } = (await answer.json()) as { balances: { asset: string; available: string }[] }
  return balances.find((balance) => balance.asset === asset)?.available ?? '0'
}

/** Zero findings, of any weight. */
export async function expectAccessible(page: Page): Promise<void> {
  expect.soft(await accessibilityFindings(page)).toEqual([])
}

/** What axe finds: each rule with the elements that break it. */
export async function accessibilityFindings(page: Page): Promise<string[]> {
  // A colour that is still on its way is not the colour of the page, and one that arrives can set off the next.
  await page.waitForFunction(() => document.getAnimations().length === 0)
  // In the page itself, which has no frames, and without a list of all that is well: a third of the time.
  const { violations } = await new AxeBuilder({ page })
    .setLegacyMode()
    .options({ resultTypes: ['violations'] })
    .withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'])
    .analyze()
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`,
  )
}
