import { accountId, HOUSE_WALLET_ID, PURPOSE, type Posting } from '#ledger'
import { expect, test } from 'vitest'
import { exactDecimal } from './exact-decimal.ts'
import { feePaid } from './moved-amounts.ts'

const [EUR, USD] = [978, 840]
const MINE = 1000n
const account = (walletId: bigint, assetId: number, purpose: number) =>
  accountId({ walletId, assetId, purpose })
const available = (assetId: number) => account(MINE, assetId, PURPOSE.available)
const reserved = (assetId: number) => account(MINE, assetId, PURPOSE.reserved)
const house = (assetId: number, purpose: number) => account(HOUSE_WALLET_ID, assetId, purpose)
const other = account(1001n, EUR, PURPOSE.available)
const move = (from: bigint, to: bigint, amount: bigint): Posting => ({ from, to, amount })

test('a fee is the sum of what was paid to the house for one, in one asset', () => {
  const fees = house(EUR, PURPOSE.fees)
  const postings = [
    move(available(EUR), other, 50n),
    move(available(EUR), fees, 2n),
    move(reserved(EUR), fees, 3n),
    move(available(USD), house(USD, PURPOSE.fees), 9n),
    move(other, fees, 100n),
  ]
  expect(feePaid(postings, MINE)).toEqual({ assetId: EUR, amount: 5n })
  expect(feePaid([move(available(EUR), other, 50n)], MINE)).toBeNull()
})

test.each([
  [0n, 7n, '0'],
  [1n, 8n, '0.125'],
  [9n, 3n, '3'],
  [1n, 3n, '0.333333333333…'],
  [2n, 3n, '0.666666666666…'],
  [1n, 10n ** 12n, '0.000000000001'],
  [1n, 10n ** 13n, '0.000000000000…'],
])('%i/%i is written %s, exact or marked as cut', (numerator, denominator, text) => {
  expect(exactDecimal(numerator, denominator)).toBe(text)
})
