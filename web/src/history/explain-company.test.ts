import type { Operation } from '@kantor/contract/api'
import { afterEach, expect, test } from 'vitest'
import { i18n } from '#i18n'
import { useCompanyWords } from './explain-company.ts'

const operation = (
  kind: Operation['kind'],
  says: Partial<NonNullable<Operation['corporateAction']>>,
): Operation => ({
  id: '01a20440-580b-7fd0-9aba-27b0e161506b',
  kind,
  status: 'posted',
  at: '2026-11-22T12:00:00.000Z',
  amounts: [],
  corporateAction: {
    instrument: 'AAPL',
    exDate: '2026-11-20',
    quantity: '3.000000000',
    source: 'simulated',
    correction: false,
    ...says,
  },
})

const DIVIDEND = operation('dividend', { perShare: '0.24', currency: 'USD' })
const SPLIT = operation('split', { from: '1', to: '4' })
const RENAME = operation('rename', { tickerFrom: 'FB', tickerTo: 'META' })
const DELISTING = operation('delisting', { lastPrice: '52.58', currency: 'USD' })

afterEach(() => {
  i18n.global.locale.value = 'en'
})

test.each([
  ['en', ['AAPL dividend 0.24 USD a share', 'AAPL split 4 for 1', 'FB is now META', 'AAPL was delisted']],
  [
    'pl',
    [
      'AAPL: dywidenda 0,24 USD na akcję',
      'AAPL: podział 4 za 1',
      'FB to teraz META',
      'AAPL: wycofanie z giełdy',
    ],
  ],
] as const)('what a company did is the title of its operation, in %s', (locale, titles) => {
  i18n.global.locale.value = locale
  const { companyTitle } = useCompanyWords()
  const said = [DIVIDEND, SPLIT, RENAME, DELISTING].map(companyTitle)
  expect(said.map((title) => title?.replaceAll('\u00a0', ' '))).toEqual(titles)
})

test('tax kept back, a rest of a share and a correction are explained step by step', () => {
  const { companySteps } = useCompanyWords()
  const taxed = operation('dividend', {
    perShare: '0.24',
    currency: 'USD',
    withheld: '0.10',
    withholdingBps: 1_500,
    correction: true,
  })
  const texts = companySteps(taxed).map(({ value, note }) =>
    `${value} ${note ?? ''}`.replaceAll('\u00a0', ' '),
  )
  expect(texts).toContain('0.10 USD 15.00 %')
  expect(texts[0]).toContain('the difference to what was posted before')
  const rest = { from: '3', to: '1', fraction: '0.0000000006', fractionCurrency: 'USD' }
  const noteOf = (fractionPaid?: string) =>
    companySteps(operation('split', { ...rest, ...(fractionPaid && { fractionPaid }) })).find(
      ({ value }) => value === rest.fraction,
    )?.note
  expect(noteOf('0.02')?.replaceAll('\u00a0', ' ')).toBe('paid out: 0.02 USD')
  expect(noteOf('0.00')).toBe('worth less than the smallest coin')
  expect(noteOf()).toBe('its price was unknown, so it was not paid out')
})
