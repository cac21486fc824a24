import { negated, sum, trimmed } from '@kantor/server/test/real-input/exact.ts'
import type { Page } from '@playwright/test'

/** What one person is told of their money by the API. */
export interface Books {
  readonly handle: string
  /** What exports call their wallet's account. */
  readonly account: string
  readonly operations: readonly Operation[]
  /** Asset → amount, without what is zero. */
  readonly balances: Readonly<Record<string, string>>
}

export interface Operation {
  readonly id: string
  readonly kind: string
  readonly rate?: string
  readonly mid?: string
  readonly marginBps?: number
  readonly rateSource?: string
  readonly rateAsOf?: string
  readonly postings: readonly { from: string; to: string; asset: string; amount: string }[]
}

/** Asked with the session of this person's page. */
export async function readBooks(
  page: Page,
  address: string,
  handle: string,
  account: string,
): Promise<Books> {
  const read = async <Body>(path: string) =>
    (await (await page.request.get(`${address}/api/v1${path}`)).json()) as Body
  const { items } = await read<{ items: { id: string }[] }>('/operations?limit=100')
  const operations = await Promise.all(items.map(({ id }) => read<Operation>(`/operations/${id}`)))
  const wallet = await read<{ balances: { asset: string; available: string; reserved: string }[] }>('/wallet')
  const held = wallet.balances.map(
    ({ asset, available, reserved }) => [asset, trimmed(sum([available, reserved]))] as const,
  )
  return {
    handle,
    account,
    operations,
    balances: Object.fromEntries(held.filter(([, amount]) => amount !== '0')),
  }
}

/**
 * Every account's balance, the house's too, as the explained operations of these people add up to: `account asset`
 * → amount, without what is zero. Right only when nobody else has moved anything.
 */
export function balancesOf(people: readonly Books[]): Record<string, string> {
  const accountOf = new Map(people.map(({ handle, account }) => [`@${handle}`, account]))
  const moved = new Map<string, string[]>()
  const move = (account: string, asset: string, amount: string) => {
    const key = `${account} ${asset}`
    moved.set(key, [...(moved.get(key) ?? []), amount])
  }
  const seen = new Set<string>()
  for (const { account: own, operations } of people) {
    const nameOf = (end: string) => (end === 'available' ? own : (accountOf.get(end) ?? houseAccount(end)))
    for (const { id, postings } of operations.filter((operation) => !seen.has(operation.id))) {
      seen.add(id)
      for (const { from, to, asset, amount } of postings) {
        move(nameOf(from), asset, negated(amount))
        move(nameOf(to), asset, amount)
      }
    }
  }
  const sums = [...moved].map(([key, amounts]) => [key, trimmed(sum(amounts))] as const)
  return Object.fromEntries(sums.filter(([, amount]) => amount !== '0'))
}

/** `house:fees` → `Equity:House:Fees`. */
function houseAccount(end: string): string {
  const [house, purpose = ''] = end.split(':')
  if (house !== 'house') throw new Error(`a posting with ${end}, who is not among these people`)
  return `Equity:House:${purpose.charAt(0).toUpperCase()}${purpose.slice(1)}`
}
