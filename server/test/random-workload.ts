import { createHash } from 'node:crypto'
import { DatabaseUnavailable, type Database, type Queryable, type Tx } from '#db'
import { LedgerBusy, type Ledger, type PostCommand, type Verdict } from '#ledger'
import type { SeededRandom } from './seeded-random.ts'
import { available, deposit, EUR, funding, JPY, outcomeOf, transfer, USD } from './test-ledger.ts'

/** What became of one command, as its caller saw it. */
interface Invocation {
  command: PostCommand
  /** `posted`, the reason of a refusal, or `unknown`: a cut or a time-out is never called a failure. */
  answer: string
  /** The journal's id, when one was named. */
  journalId: string | null
}

interface Workload {
  random: SeededRandom
  /** Several, as several processes would have. */
  ledgers: Ledger[]
  /** For callers that post within their own tx. */
  db: Database
  commands: number
  atOnce: number
  firstWallet: number
  wallets: number
}

const ASSETS = [EUR, USD, JPY]
const ATTEMPTS_MAX = 40

/**
 * Transfers, journals of several postings, commands that cannot be paid, single uses and keys that are used again, by
 * `atOnce` callers. Who gets no answer asks again with the same key, like a good client, until there is one.
 */
export async function runWorkload(load: Workload): Promise<Invocation[]> {
  const history: Invocation[] = []
  for (let wallet = 0; wallet < load.wallets; wallet += 1) {
    for (const assetId of ASSETS) {
      const command = deposit(`fund-${wallet}-${assetId}`, account(load, wallet, assetId), 1_000n)
      history.push(await invoke(load, command))
    }
  }
  let left = load.commands
  const caller = async () => {
    while (left > 0) {
      left -= 1
      const repeats = load.random.next() < 0.1 ? load.random.int(2, 5) : 1
      const command = anyCommand(load, left)
      const answers = Array.from({ length: repeats }, () => invoke(load, command))
      history.push(...(await Promise.all(answers)))
    }
  }
  await Promise.all(Array.from({ length: load.atOnce }, caller))
  return history
}

function account(load: Workload, wallet: number, assetId: number): bigint {
  return available(load.firstWallet + wallet, assetId)
}

function anyCommand(load: Workload, serial: number): PostCommand {
  const { random, wallets } = load
  const [assetId, other] = [random.pick(ASSETS), random.pick(ASSETS)]
  const [one, two] = [random.int(0, wallets - 1), random.int(0, wallets - 1)]
  const [from, to] = [account(load, one, assetId), account(load, two, assetId)]
  const command = transfer(`w-${serial}`, from, to, random.bigint(1n, random.next() < 0.1 ? 5_000n : 200n))
  const dice = random.next()
  if (dice < 0.15) {
    // A conversion: two assets, three accounts of the house, all or nothing.
    const [paid, received] = [random.bigint(1n, 100n), random.bigint(1n, 100n)]
    const postings = [
      { from, to: funding(assetId), amount: paid },
      { from: funding(other), to: account(load, one, other), amount: received },
      { from, to: funding(assetId), amount: 1n },
    ]
    return {
      ...command,
      kind: 'conversion',
      postings,
      opens: postings.flatMap((move) => [move.from, move.to]),
    }
  }
  if (dice < 0.2) return { ...command, consumes: `thing-${random.int(1, 20)}` }
  if (dice < 0.25) return { ...command, key: `shared-${random.int(1, 10)}` }
  return command
}

/** Until there is an answer: the key makes that safe. */
async function invoke(load: Workload, command: PostCommand): Promise<Invocation> {
  const isWithin = load.random.next() < 0.2
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
    try {
      const verdict = isWithin
        ? await postInOwnTx(load, command)
        : await load.random.pick(load.ledgers).post(command)
      const journalId = verdict.outcome === 'posted' ? verdict.journal.id : null
      return { command, answer: outcomeOf(verdict).replace('replayed', 'posted'), journalId }
    } catch (error) {
      if (!mayAskAgain(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, 5 * attempt))
    }
  }
  return { command, answer: 'unknown', journalId: null }
}

/** Cut, busy, or undone because of others: 08, 40, 55P03, 57 in PostgreSQL's own words. */
function mayAskAgain(error: unknown): boolean {
  if (error instanceof DatabaseUnavailable || error instanceof LedgerBusy) return true
  return error instanceof Error && 'code' in error && /^(08|40|57|55P03)/.test(String(error.code))
}

async function postInOwnTx(load: Workload, command: PostCommand): Promise<Verdict> {
  const ledger = load.random.pick(load.ledgers)
  const one = async (tx: Tx) => {
    const accounts = command.postings.flatMap(({ from, to }) => [from, to])
    const locked = await ledger.lockAccounts(tx, accounts, command.opens)
    const [verdict] = await locked.post([command])
    if (verdict === undefined) throw new Error('no verdict')
    return verdict
  }
  return load.db.transaction(one)
}

/** What the callers were told against what is stored: I4 to I6 of the reliability programme, one sentence each. */
export async function auditHistory(q: Queryable, history: Invocation[]): Promise<string[]> {
  const wrong: string[] = []
  const told = new Map<string, { ids: Set<string>; answers: Set<string>; requests: Set<string> }>()
  for (const { command, answer, journalId } of history) {
    const name = `${command.scope}/${command.key}`
    const known = told.get(name) ?? { ids: new Set(), answers: new Set(), requests: new Set() }
    told.set(name, known)
    known.answers.add(answer)
    known.requests.add(command.requestHash.toString('hex'))
    if (journalId !== null) known.ids.add(journalId)
  }
  const stored = await storedKeys(q)
  for (const [name, { ids, answers, requests }] of told) {
    if (answers.has('unknown')) wrong.push(`${name} never got an answer`)
    if (ids.size > 1) wrong.push(`${name} was answered with ${ids.size} journals`)
    const count = stored.get(hashedName(name)) ?? 0
    if (ids.size === 1 && count !== 1) wrong.push(`${name} was acknowledged and is stored ${count} times`)
    // A key that several requests shared may have been refused for one and posted for another.
    if (ids.size === 0 && requests.size === 1 && count !== 0) wrong.push(`${name} was refused and is stored`)
  }
  const known = new Set([...told.keys()].map(hashedName))
  for (const name of stored.keys()) if (!known.has(name)) wrong.push(`${name} was stored and never asked for`)
  return wrong
}

async function storedKeys(q: Queryable): Promise<Map<string, number>> {
  const { rows } = await q.query<{ name: string; count: bigint }>(
    `select key_hash::text as name, count(*) from ledger.journals group by 1`,
  )
  return new Map(rows.map(({ name, count }) => [name, Number(count)]))
}

/** The stored form of `scope/key`. */
function hashedName(name: string): string {
  const hex = createHash('sha256').update(name.replace('/', ':')).digest('hex').slice(0, 32)
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5')
}
