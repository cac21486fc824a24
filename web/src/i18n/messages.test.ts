import { describe, expect, test } from 'vitest'
import { createI18n } from 'vue-i18n'
import { en } from './en/index.ts'
import { pl } from './pl/index.ts'
import { polishForm } from './plural.ts'

type Tree = { [key: string]: string | Tree }

function leaves(tree: Tree, path = ''): [path: string, message: string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] =>
    typeof value === 'string' ? [[path + key, value]] : leaves(value, `${path}${key}.`),
  )
}

const english = new Map(leaves(en))
const polish = new Map(leaves(pl))
const placeholders = (message: string) => [...new Set(message.match(/\{\w+\}/gu) ?? [])].toSorted()
const forms = (message: string) => message.split(' | ').length

describe('messages', () => {
  test('both languages say the same things', () => {
    expect([...polish.keys()].toSorted()).toEqual([...english.keys()].toSorted())
  })

  test.each([...english])(
    '%s takes the same values in both languages, and is not left in English',
    (key, message) => {
      const other = polish.get(key) ?? ''
      expect(placeholders(other)).toEqual(placeholders(message))
      expect(other.trim()).not.toBe('')
    },
  )

  test('a message that counts has three forms in Polish', () => {
    const counting = [...english].filter(([, message]) => forms(message) > 1).map(([key]) => key)
    expect(counting.length).toBeGreaterThan(3)
    for (const key of counting) expect([key, forms(polish.get(key) ?? '')]).toEqual([key, 3])
  })

  test('every message compiles and leaves no placeholder unfilled', () => {
    const values = {
      n: 2,
      q: 'x',
      id: 'x',
      at: 'x',
      asset: 'x',
      amount: 'x',
      handle: 'x',
      date: 'x',
      name: 'x',
      source: 'x',
      timeliness: 'x',
      minutes: 15,
      on: 'x',
      ticker: 'x',
      range: 'x',
      first: 'x',
      last: 'x',
      low: 'x',
      high: 'x',
      names: 'x',
      currency: 'x',
      price: 'x',
    }
    for (const [locale, messages] of [
      ['en', en],
      ['pl', pl],
    ] as const) {
      const i18n = createI18n({
        legacy: false,
        locale,
        messages: { [locale]: messages },
        pluralRules: { pl: polishForm },
      })
      for (const [key] of english) {
        const text = i18n.global.t(
          key,
          {
            ...values,
            assets: 'x',
            height: 'x',
            from: 'x',
            to: 'x',
            first: 'x',
            last: 'x',
            low: 'x',
            high: 'x',
            rate: 'x',
          },
          2,
        )
        expect([key, /[{}|]/u.test(text), text === key]).toEqual([key, false, false])
      }
    }
  })

  test('no exclamation marks', () => {
    expect([...english, ...polish].filter(([, message]) => message.includes('!'))).toEqual([])
  })
})

describe('polishForm', () => {
  test.each([
    [1, 0],
    [2, 1],
    [4, 1],
    [5, 2],
    [12, 2],
    [22, 1],
    [100, 2],
    [0, 2],
  ])('%i takes form %i', (count, form) => {
    expect(polishForm(count)).toBe(form)
  })
})
