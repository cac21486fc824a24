import { describe, expect, test } from 'vitest'
import { expiryOf } from './key-lifetime.ts'
import { judgePassword } from './password-strength.ts'
import { safeNext } from './safe-next.ts'
import { isHandle, suggestHandle } from './suggest-handle.ts'
import { deviceOf } from './user-agent.ts'

describe('suggestHandle', () => {
  test.each([
    ['Łucja Żak', 'lucja_zak'],
    ['Ala Makota', 'ala_makota'],
    ["Seán O'Brien", 'sean_o_brien'],
    ['3PO Cee', 'po_cee'],
    ['Maximilian Alexander von Hohenzollern', 'maximilian_alexander_von'],
    ['李小龍', ''],
    ['', ''],
    ['Jo', ''],
  ])('for %j it is %j', (name, handle) => {
    expect(suggestHandle(name)).toBe(handle)
    expect(handle === '' || isHandle(handle)).toBe(true)
  })
})

describe('safeNext', () => {
  test.each([
    ['/history?asset=EUR', '/history?asset=EUR'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example', '/'],
    ['javascript:alert(1)', '/'],
    ['/sign-in?next=/sign-in', '/'],
    [undefined, '/'],
    [['/a'], '/'],
  ])('%j leads to %j', (next, to) => {
    expect(safeNext(next)).toBe(to)
  })
})

describe('judgePassword', () => {
  test.each(['password12', 'qwertyuiop'])('%s is not enough', async (password) => {
    expect(await judgePassword(password, ['ala@example.com', 'ala', 'Ala Makota'], 'en')).toBeLessThan(3)
  })

  test('a few uncommon words are', async () => {
    expect(await judgePassword('corvid-lantern-mosaic-77', ['ala'], 'en')).toBe(4)
  })
})

test('a device is told by browser and system', () => {
  expect(deviceOf('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe(
    'Firefox, Linux',
  )
  expect(
    deviceOf(
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1',
    ),
  ).toBe('Safari, iOS')
  expect(deviceOf('curl/8.0')).toBe('curl/8.0')
})

test('a key ends when it was said to, or never', () => {
  expect(expiryOf('30', 0)).toBe('1970-01-31T00:00:00.000Z')
  expect(expiryOf('0', 0)).toBeUndefined()
})
