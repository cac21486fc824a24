import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { repeatsName } from './repeated-names.ts'

test.each([
  ['{"amount":"1","amount":"2"}', true],
  ['{"a":1,"b":{"a":2}}', false],
  ['{"b":{"a":1,"a":1}}', true],
  ['[{"a":1},{"a":1}]', false],
  ['[[{"a":1 , "a" :1}]]', true],
  ['{"a":"a","b":"a"}', false],
  ['{"a":["a","a"],"b":"\\":{"}', false],
  ['{"\\u0061":1,"a":2}', true],
  ['{"a\\"":1,"a":2}', false],
  ['{"a":"}","a":1}', true],
  ['{"":1,"":2}', true],
  ['"a"', false],
  ['{}', false],
])('%s', (json, repeats) => {
  expect(repeatsName(json)).toBe(repeats)
})

test('whatever JSON.stringify writes repeats nothing, and does once a member is written twice', () => {
  fc.assert(
    fc.property(fc.json(), fc.string(), fc.boolean(), (json, name, spaced) => {
      const text = spaced ? JSON.stringify(JSON.parse(json), null, 2) : JSON.stringify(JSON.parse(json))
      expect(repeatsName(text)).toBe(false)
      const member = JSON.stringify(name)
      expect(repeatsName(`{${member}:${text},"x${'y'.repeat(name.length)}":[],${member} : 0}`)).toBe(true)
    }),
  )
})
