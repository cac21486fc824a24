import { join } from 'node:path'
import type { Page } from '@playwright/test'
import { expect, expectAccessible } from './fixtures.ts'

const SCREENS =
  process.env['KANTOR_SCREENS'] ?? join(import.meta.dirname, '../../node_modules/.cache/kantor/screens')

export const SIZES = {
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  desktop: { viewport: { width: 1440, height: 900 } },
} as const

/** One state of one page, light and dark: no finding of axe, nothing wider than the screen, and a picture of it. */
export async function lookAt(page: Page, picture: string): Promise<void> {
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme })
    await expect(page.locator('html')).toHaveAttribute('data-theme', theme)
    await expectAccessible(page)
    await expectNoSidewaysScroll(page)
    await page.screenshot({ path: join(SCREENS, `${picture}-${theme}.png`) })
  }
}

async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const over = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  )
  expect.soft(over).toBeLessThanOrEqual(0)
}
