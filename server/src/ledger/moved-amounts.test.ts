import { expect, test } from 'vitest'
import { accountId, HOUSE_WALLET_ID, PURPOSE } from './account-id.ts'
import { movedAmounts } from './moved-amounts.ts'
import type { Posting } from './types.ts'

const [EUR, USD] = [978, 840]
const MINE = 1000n
const account = (walletId: bigint, assetId: number, purpose: number) =>
  accountId({ walletId, assetId, purpose })
const available = (assetId: number) => account(MINE, assetId, PURPOSE.available)
const reserved = (assetId: number) => account(MINE, assetId, PURPOSE.reserved)
const house = (assetId: number, purpose: number) => account(HOUSE_WALLET_ID, assetId, purpose)
const other = account(1001n, EUR, PURPOSE.available)
const move = (from: bigint, to: bigint, amount: bigint): Posting => ({ from, to, amount })

test.each<[string, Posting[], [number, bigint][]]>([
  ['what went out is negative', [move(available(EUR), other, 5n)], [[EUR, -5n]]],
  ['what came in is positive', [move(other, available(EUR), 5n)], [[EUR, 5n]]],
  [
    'a fee adds to what went out',
    [move(available(EUR), other, 5n), move(available(EUR), house(EUR, PURPOSE.fees), 1n)],
    [[EUR, -6n]],
  ],
  ['reserving shows what became unavailable', [move(available(EUR), reserved(EUR), 5n)], [[EUR, -5n]]],
  ['releasing shows what became available', [move(reserved(EUR), available(EUR), 5n)], [[EUR, 5n]]],
  [
    'a fill from what was reserved shows what left the wallet, not what returned within it',
    [
      move(reserved(EUR), house(EUR, PURPOSE.brokerage), 95n),
      move(reserved(EUR), available(EUR), 5n),
      move(house(USD, PURPOSE.brokerage), available(USD), 7n),
    ],
    [
      [EUR, -95n],
      [USD, 7n],
    ],
  ],
  ['what others exchange is nothing of mine', [move(other, house(EUR, PURPOSE.fees), 5n)], []],
  [
    'between places that are not available nothing is shown',
    [move(reserved(EUR), account(MINE, EUR, PURPOSE.pocketFirst), 5n)],
    [],
  ],
])('%s', (_, postings, expected) => {
  expect([...movedAmounts(postings, MINE)]).toEqual(expected)
})
