import type { Queryable } from '#db'
import { assetIdOf, floorOf } from './account-id.ts'
import { rowsOf } from './cursor.ts'
import { heightOf } from './journal-id.ts'
import type { BreakCollector, VerifyProgress } from './verify.ts'

interface EntriesTerms {
  breaks: BreakCollector
  onProgress: (progress: VerifyProgress) => void
  entriesExpected: bigint
}

export interface EntriesFacts {
  entries: bigint
  accounts: bigint
  /** Balances summed over all accounts of an asset. */
  sumByAsset: Map<number, bigint>
}

/** One side of a posting, read from the journals. */
interface Side {
  account_id: bigint
  seq: bigint
  kind: number
  amount: bigint
}

interface Entry extends Side {
  version: bigint
  balance_after: bigint
}

interface Account {
  account_id: bigint
  balance: bigint
  floor: bigint | null
  version: bigint
}

// Within a journal the sides come in the order of the postings, giver first, which is how versions were given out.
const sidesQuery = `
  select side.account_id, journals.seq, journals.kind, side.amount
  from ledger.journals, generate_series(1, cardinality(postings), 3) first, lateral (values
    (postings[first], -postings[first + 2], 1), (postings[first + 1], postings[first + 2], 2)
  ) side (account_id, amount, which)
  order by side.account_id, journals.seq, first, side.which`

const entriesQuery = `
  select account_id, version, seq, kind, amount, balance_after from ledger.entries order by account_id, version`

const accountsQuery = `select id as account_id, balance, floor, version from ledger.accounts order by id`

const PROGRESS_EVERY = 50_000n

/**
 * Account by account: the sides of all postings on it, in order, must be exactly its entries, their running sum the
 * balances, and the last of them what the account says. Three sorted streams are read side by side, so the memory
 * is that of one account's state.
 */
export async function verifyEntries(q: Queryable, terms: EntriesTerms): Promise<EntriesFacts> {
  const facts: EntriesFacts = { entries: 0n, accounts: 0n, sumByAsset: new Map() }
  const sides = await peekable(rowsOf<Side>(q, 'verify_sides', sidesQuery))
  const entries = await peekable(rowsOf<Entry>(q, 'verify_entries', entriesQuery))
  const accounts = await peekable(rowsOf<Account>(q, 'verify_accounts', accountsQuery))
  const onEntry = () => {
    facts.entries += 1n
    if (facts.entries % PROGRESS_EVERY !== 0n) return
    terms.onProgress({ stage: 'entries', done: facts.entries, total: terms.entriesExpected })
  }
  for (;;) {
    const heads = [sides.head, entries.head, accounts.head].flatMap((row) => row?.account_id ?? [])
    if (heads.length === 0) break
    const id = heads.reduce((least, other) => (other < least ? other : least))
    const last = await verifyAccountEntries(id, { sides, entries, breaks: terms.breaks, onEntry })
    const account = accounts.head?.account_id === id ? accounts.head : null
    if (account !== null) await accounts.next()
    const what = breakOfAccount(id, account, last)
    if (what !== null) terms.breaks.report(last.seq === null ? null : heightOf(last.seq), what)
    if (account === null) continue
    facts.accounts += 1n
    const assetId = assetIdOf(id)
    facts.sumByAsset.set(assetId, (facts.sumByAsset.get(assetId) ?? 0n) + account.balance)
  }
  return facts
}

interface Running {
  version: bigint
  balance: bigint
  seq: bigint | null
}

interface Streams {
  sides: Peekable<Side>
  entries: Peekable<Entry>
  breaks: BreakCollector
  onEntry: () => void
}

/** What the account's state must be, from its journals; the first entry that differs is reported. */
async function verifyAccountEntries(
  id: bigint,
  { sides, entries, breaks, onEntry }: Streams,
): Promise<Running> {
  const running: Running = { version: 0n, balance: 0n, seq: null }
  const floor = floorOf(id)
  let isSound = true
  for (;;) {
    const side = sides.head?.account_id === id ? sides.head : null
    const entry = entries.head?.account_id === id ? entries.head : null
    if (side === null && entry === null) return running
    if (side !== null) {
      running.version += 1n
      running.balance += side.amount
      running.seq = side.seq
      await sides.next()
    }
    if (entry !== null) {
      onEntry()
      await entries.next()
    }
    const what = isSound ? breakOfEntry(side, entry, running, floor) : null
    if (what === null) continue
    isSound = false
    breaks.report(heightOf(side?.seq ?? entry?.seq ?? 0n), `account ${id}: ${what}`)
  }
}

function breakOfEntry(
  side: Side | null,
  entry: Entry | null,
  running: Running,
  floor: bigint | null,
): string | null {
  if (entry === null) return `the entry of journal ${side?.seq} is missing`
  if (side === null) return `entry ${entry.version} has no journal`
  if (entry.version !== running.version) return `entry ${running.version} is missing`
  if (entry.seq !== side.seq || entry.kind !== side.kind || entry.amount !== side.amount) {
    return `entry ${entry.version} is not what journal ${side.seq} says`
  }
  if (entry.balance_after !== running.balance) return `the balance after entry ${entry.version} is wrong`
  return floor !== null && running.balance < floor ? `entry ${entry.version} goes below the floor` : null
}

function breakOfAccount(id: bigint, account: Account | null, last: Running): string | null {
  if (account === null) return `account ${id} does not exist and has entries`
  if (account.balance !== last.balance) return `account ${id} is not the sum of its entries`
  if (account.version !== last.version) return `account ${id} counts other entries than it has`
  return account.floor === floorOf(id) ? null : `account ${id} has another floor than it should`
}

/** A stream whose next row can be looked at before it is taken. */
interface Peekable<Row> {
  head: Row | null
  next(): Promise<void>
}

async function peekable<Row>(rows: AsyncGenerator<Row, undefined>): Promise<Peekable<Row>> {
  const stream: Peekable<Row> = {
    head: null,
    next: async () => {
      const { value } = await rows.next()
      stream.head = value ?? null
    },
  }
  await stream.next()
  return stream
}
