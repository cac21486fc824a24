import { beforeAll, describe, expect, test } from 'vitest'
import { useFormat } from './format.ts'
import { i18n } from './index.ts'

const { money, figureParts, decimal, roundedRate, shortRate, sourceName, personName, assetName } = useFormat()
const plain = (text: string) => text.replaceAll('\u00a0', ' ')

beforeAll(() => {
  i18n.global.locale.value = 'en'
})

describe('figures', () => {
  test.each([
    ['1234.50', 'EUR', '1,234.50 EUR'],
    ['-10.01', 'PLN', '−10.01 PLN'],
    ['150000', 'JPY', '150,000 JPY'],
    ['0.51230000', 'BTC', '0.51230000 BTC'],
    ['92233720368547758.07', 'EUR', '92,233,720,368,547,758.07 EUR'],
    ['3.141500000', 'AAPL', '3.1415 AAPL'],
  ])('%s %s reads %s', (amount, asset, text) => {
    expect(plain(money(amount, asset))).toBe(text)
  })

  test('the grouping of a figure without decimals is not taken for its decimal mark', () => {
    expect(figureParts('150000', 'JPY')).toEqual(['150,000', ''])
    expect(figureParts('1234.50', 'EUR')).toEqual(['1,234', '.50'])
  })

  test.each([
    ['4.137220000', '4.13722'],
    ['4.100000000', '4.1000'],
    ['4.099571298', '4.099571298'],
    ['25', '25'],
  ])('the rate %s reads %s', (text, shown) => {
    expect(decimal(text)).toBe(shown)
  })

  test.each([
    ['4.101166647', '4.10117'],
    ['170.0410960', '170.0411'],
    ['0.2573480688', '0.257348'],
    ['0.00001120', '0.0000112'],
    ['4.100000000', '4.1000'],
    ['61234.5678901', '61,234.5679'],
    ['25', '25'],
  ])('beside amounts the rate %s reads %s', (text, shown) => {
    expect(roundedRate(text)).toBe(shown)
  })

  test.each([
    ['4.13822', '4.1382'],
    ['0.84851', '0.8485'],
    ['0.00001120', '0.000011'],
    ['171.846', '171.8460'],
    ['1234.5678', '1,234.57'],
  ])('on the board %s reads %s', (text, shown) => {
    expect(shortRate(text).join('')).toBe(shown)
  })
})

test('Polish figures follow Polish habits', () => {
  i18n.global.locale.value = 'pl'
  expect(plain(money('12345.50', 'PLN'))).toBe('12 345,50 PLN')
  expect(assetName('PLN')).toBe('Złoty polski')
  i18n.global.locale.value = 'en'
})

test('sources and masked names are written for people', () => {
  expect(sourceName('nbp')).toBe('NBP')
  expect(sourceName('simulated')).toBe('simulated market')
  expect(personName('Wa*** N***************')).toBe('Wa*** N***')
  expect(assetName('BTC')).toBe('Bitcoin')
})
