import { expect, test } from 'vitest'
import { matchAssets } from './match-assets.ts'

const choices = [
  { code: 'EUR', name: 'Euro' },
  { code: 'PLN', name: 'Złoty polski' },
  { code: 'AUD', name: 'Dolar australijski' },
  { code: 'USD', name: 'Dolar amerykański' },
]

test.each([
  ['', ['EUR', 'PLN', 'AUD', 'USD']],
  ['pln', ['PLN']],
  ['zloty', ['PLN']],
  ['ZŁO', ['PLN']],
  ['dolar', ['AUD', 'USD']],
  ['us', ['USD', 'AUD']],
  ['xyz', []],
])('searching %j finds %j, the code before the name', (search, found) => {
  expect(matchAssets(choices, search).map((choice) => choice.code)).toEqual(found)
})
