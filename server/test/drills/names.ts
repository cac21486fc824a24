import type { Queryable } from '#db'

/** What names in answers stand for, read once per judgement. */
export interface Names {
  readonly walletOf: ReadonlyMap<string, bigint>
  readonly assetOf: ReadonlyMap<string, { readonly id: bigint; readonly scale: number }>
}

export async function readNames(q: Queryable): Promise<Names> {
  const wallets = await q.query<{ handle: string; number: bigint }>(
    'select handle, number from identity.customers',
  )
  const assets = await q.query<{ id: number; code: string; scale: number }>(
    'select id, code, scale from ledger.assets',
  )
  return {
    walletOf: new Map(wallets.rows.map(({ handle, number }) => [handle, number])),
    assetOf: new Map(assets.rows.map(({ id, code, scale }) => [code, { id: BigInt(id), scale }])),
  }
}

/** `12.3` at 2 digits → 1230. */
export function minorOf(amount: string, scale: number): bigint {
  const [whole = '', fraction = ''] = amount.split('.')
  if (fraction.length > scale) throw new Error(`${amount} has more than ${scale} digits`)
  return BigInt(whole + fraction.padEnd(scale, '0'))
}

export function walletOf(names: Names, handle: string): bigint {
  const wallet = names.walletOf.get(handle)
  if (wallet === undefined) throw new Error(`@${handle} signed up and is nobody`)
  return wallet
}
