import { createHash } from 'node:crypto'
import type { Database, Queryable } from '#db'
import {
  accountId,
  declareAssets,
  openLedger,
  PURPOSE,
  type Ledger,
  type LedgerOptions,
  type PostCommand,
  type Verdict,
} from '#ledger'
import { CURRENCIES } from '@kantor/contract/money'
import { afterwards } from './afterwards.ts'

export const EUR = 978
export const USD = 840
export const JPY = 392

/** Every currency, as the server declares them when it starts. */
export async function declareCurrencies(q: Queryable): Promise<void> {
  await declareAssets(
    q,
    CURRENCIES.map(({ id, code, kind, scale, name }) => ({
      id,
      code,
      kind: kind === 'crypto' ? 'crypto' : 'currency',
      scale,
      name,
    })),
  )
}

/** A ledger with its currencies, closed after the test that is running, else after the file's last one. */
export async function testLedger(
  database: { db: Database; url: string },
  options: Partial<LedgerOptions> = {},
): Promise<Ledger> {
  await declareCurrencies(database.db)
  const ledger = openLedger({
    url: database.url,
    applicationName: 'test-ledger',
    clock: () => new Date(),
    random: Math.random,
    ...options,
  })
  afterwards(() => ledger.close())
  return ledger
}

export function available(walletId: bigint | number, assetId = EUR): bigint {
  return accountId({ walletId: BigInt(walletId), assetId, purpose: PURPOSE.available })
}

export function funding(assetId = EUR): bigint {
  return accountId({ walletId: 1n, assetId, purpose: PURPOSE.funding })
}

/** What a caller would make of a request's body. */
export function hashOf(request: string): Buffer {
  return createHash('sha256').update(request).digest().subarray(0, 16)
}

export function transfer(
  key: string,
  from: bigint,
  to: bigint,
  amount: bigint,
  more: Partial<PostCommand> = {},
): PostCommand {
  return {
    kind: 'transfer',
    scope: from >> 27n,
    key,
    requestHash: hashOf(`${from}>${to}:${amount}`),
    postings: [{ from, to, amount }],
    opens: [from, to],
    ...more,
  }
}

export function deposit(key: string, to: bigint, amount: bigint): PostCommand {
  const house = funding(Number((to >> 7n) & 0xfffffn))
  return { ...transfer(key, house, to, amount), kind: 'deposit', scope: 0n }
}

/** The journal of a verdict that must have been posted. */
export function posted(verdict: Verdict | undefined): Extract<Verdict, { outcome: 'posted' }>['journal'] {
  if (verdict?.outcome !== 'posted') throw new Error(`not posted: ${verdict?.reason}`)
  return verdict.journal
}

/** `posted`, `replayed` or the reason of the refusal: what a table of a test expects. */
export function outcomeOf(verdict: Verdict | undefined): string {
  if (verdict === undefined) return 'no verdict'
  if (verdict.outcome === 'refused') return verdict.reason
  return verdict.replayed ? 'replayed' : 'posted'
}
