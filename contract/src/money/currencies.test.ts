import { describe, expect, test } from 'vitest'
import { CURRENCIES, currencyByCode, currencyById, INSTRUMENT_SCALE, isOffered } from './currencies.ts'

const WITHDRAWN = 'ANG BGN BYR CUC EEK HRK LTL LVL MRO SLL STD VEF ZMK ZWL DEM PLZ'.split(' ')
const WITHOUT_DIGITS = 'XAU XAG XPD XPT XDR XSU XUA XBA XBB XBC XBD XXX XTS'.split(' ')
const NEVER_ISO = 'GGP IMP JEP CNH RMB eur EU Euro __proto__ constructor toString'.split(' ')

describe('the currency table', () => {
  test('has the 155 national codes and 10 funds of ISO 4217 as of 2026, and the declared crypto', () => {
    const kinds = (kind: string) => CURRENCIES.filter((currency) => currency.kind === kind).length
    expect([kinds('national'), kinds('fund'), kinds('crypto')]).toEqual([155, 10, 8])
  })

  test('gives every code and every id once, within its own range', () => {
    expect(new Set(CURRENCIES.map(({ code }) => code)).size).toBe(CURRENCIES.length)
    expect(new Set(CURRENCIES.map(({ id }) => id)).size).toBe(CURRENCIES.length)
    for (const { code, id, kind, scale, name, flag, minorName } of CURRENCIES) {
      expect(code).toMatch(kind === 'crypto' ? /^[A-Z]{3,5}$/ : /^[A-Z]{3}$/)
      expect(kind === 'crypto' ? id > 1000 && id < 10_000 : id > 0 && id < 1000).toBe(true)
      expect(Number.isInteger(scale) && scale >= 0 && scale <= 9).toBe(true)
      expect(name.trim()).toBe(name)
      expect(name.length).toBeGreaterThan(2)
      expect(flag === null || /^[A-Z]{2}$/.test(flag)).toBe(true)
      expect(minorName === undefined || (scale > 0 && minorName.length > 1)).toBe(true)
    }
  })

  test('lists each kind in order, so that a difference is a short one', () => {
    for (const kind of ['national', 'fund']) {
      const codes = CURRENCIES.filter((currency) => currency.kind === kind).map(({ code }) => code)
      expect(codes).toEqual(codes.toSorted())
    }
  })

  test.each([
    ['EUR', 978, 2, 'EU'],
    ['PLN', 985, 2, 'PL'],
    ['USD', 840, 2, 'US'],
    ['GBP', 826, 2, 'GB'],
    ['CHF', 756, 2, 'CH'],
    ['HUF', 348, 2, 'HU'],
    ['JPY', 392, 0, 'JP'],
    ['ISK', 352, 0, 'IS'],
    ['CLP', 152, 0, 'CL'],
    ['UYI', 940, 0, 'UY'],
    ['BHD', 48, 3, 'BH'],
    ['KWD', 414, 3, 'KW'],
    ['IQD', 368, 3, 'IQ'],
    ['CLF', 990, 4, 'CL'],
    ['UYW', 927, 4, 'UY'],
    ['ALL', 8, 2, 'AL'],
    ['MGA', 969, 2, 'MG'],
    ['MRU', 929, 2, 'MR'],
    ['STN', 930, 2, 'ST'],
    ['SLE', 925, 2, 'SL'],
    ['VES', 928, 2, 'VE'],
    ['VED', 926, 2, 'VE'],
    ['ZWG', 924, 2, 'ZW'],
    ['XCG', 532, 2, null],
    ['XAD', 396, 2, null],
    ['XOF', 952, 0, null],
    ['BTC', 1001, 8, null],
    ['ETH', 1002, 8, null],
    ['LTC', 1003, 8, null],
  ])('%s is number %i with %i digits and the flag %s', (code, id, scale, flag) => {
    expect(currencyByCode(code)).toMatchObject({ code, id, scale, flag })
    expect(currencyById(id)).toBe(currencyByCode(code))
    expect(isOffered(code)).toBe(true)
  })

  test('has no digits other than 2 except for these codes, which ISO names', () => {
    const codesAt = (scale: number) =>
      CURRENCIES.filter((currency) => currency.kind !== 'crypto' && currency.scale === scale)
        .map(({ code }) => code)
        .toSorted()
        .join(' ')
    expect(codesAt(0)).toBe('BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF')
    expect(codesAt(3)).toBe('BHD IQD JOD KWD LYD OMR TND')
    expect(codesAt(4)).toBe('CLF UYW')
    expect(codesAt(1)).toBe('')
  })

  test.each([...WITHDRAWN, ...WITHOUT_DIGITS, ...NEVER_ISO, ''])('does not offer %j', (code) => {
    expect(isOffered(code)).toBe(false)
    expect(currencyByCode(code)).toBeUndefined()
  })

  test.each([0, -978, 975, 191, 999, 1000, 10_000, 978.5, Number.NaN])('knows no asset %d', (id) => {
    expect(currencyById(id)).toBeUndefined()
  })

  test('cannot be changed at run time', () => {
    expect(Object.isFrozen(CURRENCIES)).toBe(true)
    expect(CURRENCIES.every((currency) => Object.isFrozen(currency))).toBe(true)
    expect(INSTRUMENT_SCALE).toBe(9)
  })
})
