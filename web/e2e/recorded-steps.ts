import { expect, type Locator, type Page } from '@playwright/test'
import { PASSWORD } from './fixtures.ts'

/** What people do on the pages, and what they read there. */

export async function signUpOnPage(page: Page, name: string, handle: string): Promise<void> {
  await page.goto('/sign-up')
  await page.getByLabel('Your name').fill(name)
  await page.getByLabel('Handle').fill(handle)
  await page.getByLabel('E-mail').fill(`${handle}@example.com`)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Open the wallet' }).click()
  await expect(page.getByRole('heading', { name: 'Balances' })).toBeVisible()
}

export async function goTo(page: Page, place: 'Convert' | 'Send' | 'History'): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name: place }).click()
  await expect(page.getByRole('heading', { name: place, level: 1 })).toBeVisible()
}

export async function choose(page: Page, label: string, asset: string): Promise<void> {
  await page.getByRole('button', { name: new RegExp(`^${label}`, 'u') }).click()
  await page.getByPlaceholder('Search by code or name').fill(asset)
  await page.getByRole('option', { name: new RegExp(`\\b${asset}\\b`, 'u') }).click()
  await expect(page.getByRole('button', { name: `${label}: ${asset}` })).toBeVisible()
}

/** `1,234.56 PLN` → `1234.56`. */
export async function figureIn(place: Locator): Promise<string> {
  const text = (await place.innerText()).replaceAll(/[,\s]/gu, '')
  return /[0-9]+(?:\.[0-9]+)?/u.exec(text)?.[0] ?? `no figure in ${JSON.stringify(text)}`
}

/** What stands beside a name in an offer or on a receipt. */
export function termOf(page: Page, name: string): Locator {
  return page
    .locator('dl > div')
    .filter({ has: page.locator('dt', { hasText: exactly(name) }) })
    .locator('dd')
}

/** What stands beside a name where an operation is explained. */
export function stepOf(page: Page, name: string): Locator {
  return page
    .locator('ol > li')
    .filter({ has: page.locator('span', { hasText: exactly(name) }) })
    .locator('span.figures.ml-auto')
}

/** `1 USD = 3.68 PLN` → `3.68`. */
export async function rateIn(place: Locator): Promise<string> {
  const [, rate = ''] = (await place.innerText()).split('=')
  return /[0-9.,]+/u.exec(rate)?.[0].replaceAll(',', '') ?? ''
}

/** All digits of a rate that is shown shortened. */
export async function exactRateIn(place: Locator): Promise<string> {
  return (await place.locator('[title]').getAttribute('title'))?.replaceAll(',', '') ?? ''
}

/** `0.51 %` → 51n. */
export async function basisPointsIn(place: Locator): Promise<bigint> {
  const text = await place.innerText()
  const [, whole = '', fraction = ''] = /([0-9]+)\.([0-9]{2})\s*%/u.exec(text) ?? []
  return BigInt(`${whole}${fraction}`)
}

export function receiptAmount(page: Page, title: string): Locator {
  return page.getByRole('heading', { name: title }).locator('xpath=following-sibling::*[1]')
}

function exactly(name: string): RegExp {
  return new RegExp(`^\\s*${name}\\s*$`, 'u')
}
