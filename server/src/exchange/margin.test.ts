import { describe, expect, test } from 'vitest'
import { marginOf } from './margin.ts'
import { checkExchangeSettings, DEFAULT_EXCHANGE_SETTINGS, pairSettings } from './settings.ts'

const wednesday = new Date('2026-01-14T17:00:00.000Z')
const saturday = new Date('2026-01-17T17:00:00.000Z')
const given = { baseBps: 40, weekendBps: 50, at: wednesday, ageSeconds: 0, sigmaBpsPerSqrtHour: 12 }

describe('the margin', () => {
  test.each([
    ['of a rate of this moment is the base alone', {}, [40, 0, 0, 40]],
    ['grows by σ after an hour', { ageSeconds: 3_600 }, [40, 0, 12, 52]],
    ['by twice σ after four', { ageSeconds: 14_400 }, [40, 0, 24, 64]],
    ['and is rounded up: 12 · √(1/3600) = 0.2', { ageSeconds: 1 }, [40, 0, 1, 41]],
    ['takes a rate dated ahead for one of this moment', { ageSeconds: -5 }, [40, 0, 0, 40]],
    ['is higher while the market is closed', { at: saturday, ageSeconds: 3_600 }, [40, 50, 12, 102]],
  ])('%s', (_, change, expected) => {
    const { baseBps, weekendBps, ageBps, totalBps } = marginOf({ ...given, ...change })
    expect([baseBps, weekendBps, ageBps, totalBps]).toEqual(expected)
  })

  test('is never made of a broken σ', () => {
    expect(() => marginOf({ ...given, ageSeconds: 1, sigmaBpsPerSqrtHour: Number.NaN })).toThrow('age term')
  })
})

describe('the settings', () => {
  const settings = { ...DEFAULT_EXCHANGE_SETTINGS, pairs: { 'EUR/PLN': { baseBps: 20, feeBps: 0 } } }

  test('of a pair hold both ways, and what it leaves out is the usual', () => {
    const own = { baseBps: 20, weekendBps: DEFAULT_EXCHANGE_SETTINGS.weekendBps, feeBps: 0 }
    expect(pairSettings(settings, 'EUR', 'PLN')).toEqual(own)
    expect(pairSettings(settings, 'PLN', 'EUR')).toEqual(own)
    expect(pairSettings(settings, 'EUR', 'USD').baseBps).toBe(DEFAULT_EXCHANGE_SETTINGS.baseBps)
  })

  test('of the house are in bounds', () => {
    expect(checkExchangeSettings(DEFAULT_EXCHANGE_SETTINGS)).toBe(DEFAULT_EXCHANGE_SETTINGS)
  })

  test.each([
    ['no margin at all', { baseBps: 0 }],
    ['half a basis point', { baseBps: 0.5 }],
    ['a margin of everything', { marginBpsMax: 10_000 }],
    ['a fee below nothing', { feeBps: -1 }],
    ['no life for a quote', { quoteTtlSeconds: 0 }],
    ['a pair without a margin', { pairs: { 'EUR/USD': { baseBps: 0 } } }],
    ['no exposure', { exposureOverallMinor: 0n }],
  ])('are refused at start with %s', (_, change) => {
    expect(() => checkExchangeSettings({ ...DEFAULT_EXCHANGE_SETTINGS, ...change })).toThrow(RangeError)
  })
})
