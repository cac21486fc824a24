import { createHash } from 'node:crypto'
import type { Queryable } from '#db'
import type { Answered } from './answer-log.ts'
import { isRuleKind, type MoneyKind } from './commands.ts'
import { nameOf } from './invocations.ts'
import { judgeRuleAnswers } from './judge-rules.ts'
import { minorOf, readNames, walletOf, type Names } from './names.ts'

interface Stored {
  readonly seq: bigint
  readonly kind: number
  readonly postings: readonly bigint[]
}

/** I4 and I5: what was acknowledged is stored exactly once and as it was said, what was refused is not there. */
export async function judgeAnswers(
  q: Queryable,
  answers: AsyncIterable<readonly Answered[]>,
): Promise<string[]> {
  const names = await readNames(q)
  const wrong: string[] = []
  for await (const some of answers) {
    wrong.push(...(await judgeRuleAnswers(q, names, some)))
    const keyed = some
      .filter(({ kind }) => !isRuleKind(kind))
      .map((answered) => [answered, storedKey(names, answered)] as const)
    const stored = await journalsByKey(
      q,
      keyed.map(([, key]) => key),
    )
    for (const [answered, key] of keyed) wrong.push(...judgeOne(names, answered, stored.get(key) ?? []))
  }
  return wrong
}

function judgeOne(names: Names, answered: Answered, stored: readonly Stored[]): string[] {
  const name = nameOf(answered)
  const { outcome } = answered
  if (stored.length > 1) return [`I4 ${name} is stored ${stored.length} times`]
  const [journal] = stored
  if (outcome === 'ok')
    return journal === undefined
      ? [`I4 ${name} was acknowledged and is lost`]
      : judgeContent(names, answered, journal).map((fault) => `I4 ${name} ${fault}`)
  return journal === undefined ? [] : [`I5 ${name} was refused (${answered.code}) and is stored`]
}

const AVAILABLE = 0n
const KIND_NUMBERS: Readonly<Record<MoneyKind, number>> = { deposit: 1, transfer: 3, conversion: 4, order: 5 }

interface Told {
  readonly asset: string
  readonly amount: string
  readonly to: { readonly handle: string; readonly asset: string; readonly amount: string }
  readonly from: { readonly asset: string; readonly amount: string }
}

function judgeContent(names: Names, { kind, handle, id, body }: Answered, journal: Stored): string[] {
  const wrong: string[] = []
  if (isRuleKind(kind) || journal.kind !== KIND_NUMBERS[kind]) wrong.push(`is stored as kind ${journal.kind}`)
  if (kind !== 'order' && id !== null && seqOfId(id) !== journal.seq)
    wrong.push(`was answered with ${id}, not with its journal ${journal.seq}`)
  const wallet = walletOf(names, handle)
  const told = JSON.parse(body) as Told
  for (const [of, purpose, asset, minor] of expectedMoves(names, kind, wallet, told)) {
    const account = of * 2n ** 27n + asset * 2n ** 7n + purpose
    const moved = movedOn(journal.postings, account)
    if (moved !== minor) wrong.push(`moved ${moved} on ${account}, not ${minor}`)
  }
  return wrong
}

type Move = readonly [wallet: bigint, purpose: bigint, asset: bigint, minor: bigint]

/** By how much which of the customers' accounts must have changed, by the answer alone. */
function expectedMoves(names: Names, kind: Answered['kind'], wallet: bigint, told: Told): Move[] {
  const minor = (code: string, amount: string): [bigint, bigint] => {
    const asset = names.assetOf.get(code)
    if (asset === undefined) throw new Error(`an answer names ${code}, which is no asset`)
    return [asset.id, minorOf(amount, asset.scale)]
  }
  if (kind === 'order') return []
  if (kind === 'conversion') {
    const [[paid, out], [received, inward]] = [
      minor(told.from.asset, told.from.amount),
      minor(told.to.asset, told.to.amount),
    ]
    return [
      [wallet, AVAILABLE, paid, -out],
      [wallet, AVAILABLE, received, inward],
    ]
  }
  const [asset, amount] = minor(told.asset, told.amount)
  if (kind === 'deposit') return [[wallet, AVAILABLE, asset, amount]]
  return [
    [wallet, AVAILABLE, asset, -amount],
    [walletOf(names, told.to.handle), AVAILABLE, asset, amount],
  ]
}

function movedOn(postings: readonly bigint[], account: bigint): bigint {
  let moved = 0n
  for (let at = 0; at < postings.length; at += 3) {
    const amount = postings[at + 2] ?? 0n
    if (postings[at] === account) moved -= amount
    if (postings[at + 1] === account) moved += amount
  }
  return moved
}

/** The stored form of a key: half a SHA-256 of whose it is and what it is. */
function storedKey(names: Names, { handle, key }: Answered): string {
  return storedKeyOf(walletOf(names, handle), key)
}

function storedKeyOf(wallet: bigint, key: string): string {
  return createHash('sha256').update(`${wallet}:${key}`).digest('hex').slice(0, 32)
}

/** The last 62 bits of an operation's id. */
function seqOfId(id: string): bigint {
  return BigInt(`0x${id.replaceAll('-', '').slice(16)}`) % 2n ** 62n
}

async function journalsByKey(q: Queryable, keys: readonly string[]): Promise<ReadonlyMap<string, Stored[]>> {
  const { rows } = await q.query<Stored & { key: string }>(
    `select replace(key_hash::text, '-', '') as key, seq, kind, postings from ledger.journals
      where key_hash = any ($1::uuid[])`,
    [keys],
  )
  const byKey = new Map<string, Stored[]>()
  for (const row of rows) byKey.set(row.key, [...(byKey.get(row.key) ?? []), row])
  return byKey
}

/** Nothing of these kinds is stored that nobody asked for: sums may be right and a payment still be made up. */
export async function judgeOrigins(
  q: Queryable,
  answers: AsyncIterable<readonly Answered[]>,
): Promise<string[]> {
  const names = await readNames(q)
  const asked = new Set<string>()
  for (const wallet of names.walletOf.values()) asked.add(storedKeyOf(wallet, 'welcome grant'))
  for await (const some of answers) for (const answered of some) asked.add(storedKey(names, answered))
  const { rows: rules } = await q.query<{ id: string; wallet: bigint; key: string; runs: number[] }>(
    `select id, wallet_id as wallet, request_key as key, array(
              select executions.run from rules.executions where rule_id = id and outcome = 'done') as runs
       from rules.rules`,
  )
  const madeUp = rules.filter(({ wallet, key }) => !asked.has(storedKeyOf(wallet, key)))
  for (const { id, wallet, runs } of rules)
    for (const run of runs) asked.add(storedKeyOf(wallet, `rule ${id} run ${run}`))
  const { rows } = await q.query<{ key: string; seq: bigint }>(
    `select replace(key_hash::text, '-', '') as key, seq from ledger.journals where kind = any ($1) and scope >= 1000`,
    [Object.values(KIND_NUMBERS)],
  )
  return [
    ...madeUp.map(({ id }) => `rule ${id} was asked for by nobody`),
    ...rows.filter(({ key }) => !asked.has(key)).map(({ seq }) => `journal ${seq} was asked for by nobody`),
  ]
}
