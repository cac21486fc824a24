import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  ACCOUNTING_TOOLS,
  balancesBy,
  FORMAT_OF,
  hasTool,
} from '@kantor/server/test/real-input/accounting.ts'
import { converted, customerRate, decimal, quotient, trimmed } from '@kantor/server/test/real-input/exact.ts'
import { hasRecordings } from '@kantor/server/test/real-input/recordings.ts'
import type { Page } from '@playwright/test'
import { balancesOf, readBooks, type Books } from './books.ts'
import { expect, test as base, type Watched } from './fixtures.ts'
import { beginRun, SCRIPTS, type RecordedRun, type Script } from './recorded-run.ts'
import {
  basisPointsIn,
  choose,
  figureIn,
  goTo,
  exactRateIn,
  rateIn,
  receiptAmount,
  signUpOnPage,
  stepOf,
  termOf,
} from './recorded-steps.ts'

// The main job with what real providers once said: two people in two browsers, the real server, the real hourly job.

const SCREENS =
  process.env['KANTOR_SCREENS'] ?? join(import.meta.dirname, '../../node_modules/.cache/kantor/screens')

/** Each part starts a server of its own, so the shared one is not wanted. */
const test = base.extend<object, { address: string }>({ address: ['', { scope: 'worker' }] })

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }
const FEE_BPS = 10n
const NOTE = 'For the tickets, thank you'

for (const script of SCRIPTS) {
  test.describe(`recorded ${script.name}`, () => {
    test.describe.configure({ mode: 'serial' })
    let begun: RecordedRun | null = null
    let people: Books[] = []
    const run = () => {
      if (begun === null) throw new Error('nothing was started')
      return begun
    }

    test.beforeAll(async () => {
      if (hasRecordings) begun = await beginRun(script)
    })
    test.afterAll(async () => {
      expect((await begun?.end()) ?? [], 'nothing still runs').toEqual([])
    })
    test.beforeEach(() => {
      test.info().skip(!hasRecordings, 'there is no ../shared/samples beside this checkout')
    })

    test('two people: one converts to the last digit as recorded, and sends; both histories say why', async ({
      open,
    }) => {
      const { address } = run().kantor
      const ania = await open({ baseURL: address, reducedMotion: 'reduce' })
      const edek = await open({ baseURL: address, reducedMotion: 'reduce', ...PHONE })
      await signUpOnPage(ania.page, 'Anna Nowak', 'ania')
      await signUpOnPage(edek.page, 'Edward Kowal', 'edek')
      await expect(ania.page.getByText(`${script.name}, `).first()).toBeVisible()
      await picture(ania.page, script, 'home')

      await convert(ania.page, script)
      await send(ania.page, script)
      await expectExplained(ania.page, script)
      await expectReceived(edek.page, script)

      // Wallets are numbered in order: Anna came first.
      people = [
        await readBooks(ania.page, address, 'ania', 'Assets:Customers:1000:Available'),
        await readBooks(edek.page, address, 'edek', 'Assets:Customers:1001:Available'),
      ]
      expectRecorded(people, script)
    })

    test('the ledger proves itself, and both wallets are what their histories add up to', async () => {
      const { code, stdout } = await run().kantor.run('verify')
      expect(stdout).toContain('The ledger holds.')
      expect(code).toBe(0)
      const sums = balancesOf(people)
      for (const { account, balances } of people) {
        const own = Object.entries(sums).filter(([name]) => name.startsWith(account))
        expect(Object.fromEntries(own.map(([name, amount]) => [name.split(' ')[1], amount]))).toEqual(
          balances,
        )
      }
    })

    for (const tool of ACCOUNTING_TOOLS) {
      test(`${tool} comes to the same balances, of both people and of the house`, async () => {
        test.info().skip(!(await hasTool(tool)), `${tool} is not installed`)
        const exported = await run().kantor.run('export', '--format', FORMAT_OF[tool])
        expect(exported).toMatchObject({ code: 0, stderr: '' })
        const file = join(run().folder, `export.${FORMAT_OF[tool]}`)
        await writeFile(file, exported.stdout)
        expect(await balancesBy(tool, file)).toEqual(balancesOf(people))
      })
    }

    test('past the age limit the page says so, converts nothing, and still sends', async ({ open }) => {
      await run().kantor.setClock(script.tooLateAt)
      const watched = await open({ baseURL: run().kantor.address, reducedMotion: 'reduce' })
      await expectOnlyConversionsStop(watched, script)
    })
  })
}

function picture(page: Page, { name }: Script, what: string): Promise<Buffer> {
  return page.screenshot({ path: join(SCREENS, `recorded-${name.toLowerCase()}-${what}.png`) })
}

/** The page's own figures against arithmetic of its own on the recorded text. */
async function convert(page: Page, script: Script): Promise<void> {
  const { from, to, paid } = script
  const { rates } = script.recorded()
  const pair = [rates.get(from) ?? '', rates.get(to) ?? ''] as const
  await goTo(page, 'Convert')
  await choose(page, 'Currency you pay', from)
  await choose(page, 'Currency you get', to)
  await page.getByLabel('You pay', { exact: true }).fill(paid)
  await expect(page.getByRole('timer', { name: /Price firm for/u })).toBeVisible()
  await picture(page, script, 'quote')
  const marginBps = await basisPointsIn(termOf(page, 'Our margin'))
  expect(marginBps).toBeGreaterThan(40n)
  const mid = trimmed(await exactRateIn(termOf(page, 'Mid rate')))
  expect(mid).toBe(quotient(decimal(pair[1]), decimal(pair[0]), 10))

  await page.getByRole('button', { name: /^Convert [0-9]/u }).click()
  await expect(page.getByRole('heading', { name: 'You received' })).toBeVisible()
  await picture(page, script, 'receipt')
  const wanted = converted({
    paid,
    feeBps: FEE_BPS,
    marginBps,
    rates: pair,
    receivedDigits: script.receivedDigits,
  })
  expect({
    received: await figureIn(receiptAmount(page, 'You received')),
    paid: await figureIn(termOf(page, 'Paid, fee included')),
    fee: await figureIn(termOf(page, 'Fee')),
    rate: trimmed(await exactRateIn(termOf(page, 'Rate'))),
  }).toEqual({ ...wanted, paid, rate: customerRate(pair, marginBps) })
}

async function send(page: Page, script: Script): Promise<void> {
  await goTo(page, 'Send')
  await page.getByLabel('To', { exact: true }).fill('@edek')
  await page.getByRole('option').click()
  await choose(page, 'Currency or stock to send', script.to)
  await page.getByLabel('Amount').fill(script.sent)
  await page.getByLabel('Note').fill(NOTE)
  await page.getByRole('button', { name: /^Send [0-9].* to @edek$/u }).click()
  await expect(page.getByRole('heading', { name: 'Sent to @edek' })).toBeVisible()
  expect(await figureIn(receiptAmount(page, 'Sent to @edek'))).toBe(script.sent)
}

async function expectExplained(page: Page, script: Script): Promise<void> {
  const { from, to, recorded, shownAsOf } = script
  const { rates } = recorded()
  await goTo(page, 'History')
  await expect(page.getByRole('button', { name: /@edek/u })).toContainText(NOTE)
  await page.getByRole('button', { name: `${from} → ${to}` }).click()
  const mid = stepOf(page, 'Mid rate')
  await expect(mid).toContainText(`${script.name}, ${shownAsOf}`)
  const recordedMid = quotient(decimal(rates.get(to) ?? ''), decimal(rates.get(from) ?? ''), 10)
  expect(trimmed(await rateIn(mid))).toBe(recordedMid)
  await expect(page.getByText(/Sealed in block/u)).toBeVisible()
  await picture(page, script, 'explained')
}

async function expectReceived(page: Page, script: Script): Promise<void> {
  await goTo(page, 'History')
  const row = page.getByRole('button', { name: /@ania/u })
  await expect(row).toContainText(NOTE)
  const rowText = (await row.innerText()).replaceAll(/[,\s]/gu, '')
  expect(rowText).toContain(`+${script.sent}${script.to}`)
  await picture(page, script, 'received')
  await row.click()
  await expect(page.getByText(/Sealed in block/u)).toBeVisible()
  await expect(page.getByRole('dialog').getByText('@ania').first()).toBeVisible()
}

/** The API's own account of the conversion has the recording's figures too. */
function expectRecorded(people: readonly Books[], script: Script): void {
  const { rates, asOf, provider } = script.recorded()
  const conversions = people.flatMap(({ operations }) =>
    operations.filter(({ kind }) => kind === 'conversion'),
  )
  expect(conversions).toHaveLength(1)
  const [conversion] = conversions
  const pair = [rates.get(script.from) ?? '', rates.get(script.to) ?? ''] as const
  expect(conversion).toMatchObject({ rateSource: provider, rateAsOf: asOf })
  expect(trimmed(conversion?.mid ?? '')).toBe(quotient(decimal(pair[1]), decimal(pair[0]), 10))
}

async function expectOnlyConversionsStop({ page, expectFault }: Watched, script: Script): Promise<void> {
  await signUpOnPage(page, 'Ewa Zielona', 'ewa')
  await expect(page.getByText('Too old to deal at')).toBeVisible()
  await picture(page, script, 'stale-home')
  expectFault(/503/u)
  await page.goto(`/convert?from=${script.from}&to=${script.to}&amount=100`)
  await expect(page.getByRole('alert')).toContainText('too old to deal at')
  await picture(page, script, 'stale-convert')
  await page.goto('/send?asset=EUR&amount=1')
  await page.getByLabel('To', { exact: true }).fill('@ania')
  await page.getByRole('option').click()
  await page.getByRole('button', { name: /^Send [0-9].* to @ania$/u }).click()
  await expect(page.getByRole('heading', { name: 'Sent to @ania' })).toBeVisible()
}
