import type { Queryable } from '#db'
import { ask } from './ask.ts'
import type { Customer } from './customers.ts'
import { minorOf, readNames, type Names } from './names.ts'

/** Of one customer, as the API shows it: available and reserved, by asset. */
export interface ShownWallet {
  readonly handle: string
  readonly balances: readonly {
    readonly asset: string
    readonly available: string
    readonly reserved: string
  }[]
}

interface ShownOperation {
  readonly id: string
  readonly kind: string
  readonly amounts: readonly { readonly asset: string; readonly amount: string }[]
}

/**
 * I9: each customer's history, page by page, is exactly the journals that touch their wallet, and its amounts add up
 * to what the wallet shows; what open orders say they hold is what is reserved. To be asked while all is quiet.
 */
export async function judgeWallets(
  q: Queryable,
  origin: string,
  customers: readonly Customer[],
): Promise<{ wrong: string[]; wallets: ShownWallet[] }> {
  const names = await readNames(q)
  const journals = await journalsByWallet(q)
  const wrong: string[] = []
  const wallets: ShownWallet[] = []
  for (const customer of customers) {
    const wallet = await readWallet(origin, customer)
    wallets.push(wallet)
    const history = await readPages<ShownOperation>(origin, customer, '/operations?limit=100')
    const expected = journals.get(names.walletOf.get(customer.handle) ?? 0n) ?? []
    const about = `I9 @${customer.handle}`
    wrong.push(
      ...judgeList(history, expected).map((fault) => `${about} ${fault}`),
      ...judgeSums(names, history, wallet).map((fault) => `${about} ${fault}`),
      ...(await judgeReserved(names, origin, customer, wallet)).map((fault) => `${about} ${fault}`),
    )
  }
  return { wrong, wallets }
}

function judgeList(history: readonly ShownOperation[], expected: readonly bigint[]): string[] {
  const shown = history.map(({ id }) => BigInt(`0x${id.replaceAll('-', '').slice(16)}`) % 2n ** 62n)
  if (shown.join() === expected.join()) return []
  const [inHistory, inLedger] = [new Set(shown), new Set(expected)]
  const missing = expected.filter((seq) => !inHistory.has(seq))
  const extra = shown.filter((seq) => !inLedger.has(seq))
  return [
    `is shown ${shown.length} operations of ${expected.length}; missing ${missing.join()}; extra ${extra.join()}`,
  ]
}

/** Reserving and releasing move nothing out of a wallet. */
const WITHIN = new Set(['reserve', 'release'])

function judgeSums(names: Names, history: readonly ShownOperation[], wallet: ShownWallet): string[] {
  const sums = new Map<string, bigint>()
  const moves = history.filter(({ kind }) => !WITHIN.has(kind)).flatMap(({ amounts }) => amounts)
  for (const { asset, amount } of moves) add(sums, asset, signedMinor(names, asset, amount))
  for (const { asset, available, reserved } of wallet.balances)
    add(sums, asset, -signedMinor(names, asset, available) - signedMinor(names, asset, reserved))
  return [...sums]
    .filter(([, rest]) => rest !== 0n)
    .map(([asset, rest]) => `has a history that comes to ${rest} more ${asset} than the wallet shows`)
}

async function judgeReserved(
  names: Names,
  origin: string,
  customer: Customer,
  wallet: ShownWallet,
): Promise<string[]> {
  const orders = await readPages<{ reserved: { asset: string; amount: string } }>(
    origin,
    customer,
    '/orders?status=open&limit=100',
  )
  const rests = new Map<string, bigint>()
  for (const { reserved } of orders)
    add(rests, reserved.asset, signedMinor(names, reserved.asset, reserved.amount))
  for (const { asset, reserved } of wallet.balances) add(rests, asset, -signedMinor(names, asset, reserved))
  return [...rests]
    .filter(([, rest]) => rest !== 0n)
    .map(([asset, rest]) => `has orders that hold ${rest} more ${asset} than is reserved`)
}

function add(sums: Map<string, bigint>, asset: string, minor: bigint): void {
  sums.set(asset, (sums.get(asset) ?? 0n) + minor)
}

function signedMinor(names: Names, code: string, amount: string): bigint {
  const asset = names.assetOf.get(code)
  if (asset === undefined) throw new Error(`the API names ${code}, which is no asset`)
  return amount.startsWith('-') ? -minorOf(amount.slice(1), asset.scale) : minorOf(amount, asset.scale)
}

async function readWallet(origin: string, customer: Customer): Promise<ShownWallet> {
  const { balances } = await readBody<{ balances: ShownWallet['balances'] }>(origin, customer, '/wallet')
  return { handle: customer.handle, balances }
}

const PAGES_MAX = 10_000

async function readPages<Item>(origin: string, customer: Customer, path: string): Promise<Item[]> {
  const all: Item[] = []
  let cursor: string | null = null
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const next: string = cursor === null ? path : `${path}&cursor=${encodeURIComponent(cursor)}`
    const { items, nextCursor } = await readBody<{ items: Item[]; nextCursor: string | null }>(
      origin,
      customer,
      next,
    )
    all.push(...items)
    if (nextCursor === null) return all
    cursor = nextCursor
  }
  throw new Error(`${path} does not end after ${PAGES_MAX} pages`)
}

const ATTEMPTS_MAX = 20

async function readBody<Body>(origin: string, { cookie, handle }: Customer, path: string): Promise<Body> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const answer = await ask(origin, { method: 'GET', path, cookie })
    if (answer?.status === 200) return answer.body as Body
  }
  throw new Error(`@${handle} cannot read ${path} in quiet`)
}

/** By wallet, the seqs of the journals with a posting from or to it, newest first. */
async function journalsByWallet(q: Queryable): Promise<ReadonlyMap<bigint, readonly bigint[]>> {
  const { rows } = await q.query<{ wallet: bigint; seqs: bigint[] }>(
    `select part.value >> 27 as wallet, array_agg(distinct seq order by seq desc) as seqs
       from ledger.journals cross join lateral unnest(postings) with ordinality as part (value, place)
      where place % 3 <> 0 and part.value >> 27 >= 1000 group by 1`,
  )
  return new Map(rows.map(({ wallet, seqs }) => [wallet, seqs]))
}
