import { writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Database } from '../server/src/db/index.ts'
import { bulkCounterparties, insertBulkHistory, RARE } from '../server/test/bulk-history.ts'
import { benchPostgres, openOwner, startServer } from './bench-server.ts'
import { seedCustomers } from './seed-customers.ts'
import { fixed, markdownTable, median } from './table.ts'

/** The claim: whatever is asked for, a page of the long history costs at most this much of one of the short. */
const RATIO_MAX = 1.5
const FIRST_WALLET = 1000n
const PAGE = 30

interface Side {
  readonly walletId: bigint
  readonly operations: number
  readonly key: string
  /** The time of an operation in the middle of the history. */
  readonly middle: string
}

interface Question {
  readonly what: string
  /** The query string; the same for both, but for names and times. */
  readonly of: (side: Side) => Record<string, string>
}

/**
 * `npm run bench -- history [--operations 1000000] [--rounds 60]`: the real server over HTTP, one client, every
 * filter asked of a wallet of 1,000 operations and of one of 1,000,000 in turn. Writes results/history.md.
 */
export async function run(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      operations: { type: 'string', default: '1000000' },
      rounds: { type: 'string', default: '60' },
    },
  })
  const postgres = await benchPostgres()
  try {
    const url = await postgres.create('kantor_bench_history')
    // It migrates, and declares the currencies.
    const server = await startServer(url)
    const owner = openOwner(url)
    try {
      const sides = await seedSides(owner, [1_000, Number(values.operations)])
      const client = openClient(server.port)
      await buildIndexes(owner, client, sides)
      const report = await measure(client, sides, Number(values.rounds))
      const heading = `PostgreSQL ${postgres.version}, Node ${process.version}, ${new Date().toISOString()}\n\n`
      await writeFile(join(import.meta.dirname, 'results/history.md'), `${heading}${report}\n`)
    } finally {
      await owner.close()
      await server.stop()
    }
  } finally {
    await postgres.stop()
  }
}

async function seedSides(owner: Database, sizes: readonly number[]): Promise<[Side, Side]> {
  const customers = await seedCustomers(owner, sizes.length)
  const sides: Side[] = []
  for (const [index, operations] of sizes.entries()) {
    const walletId = FIRST_WALLET + BigInt(index)
    const started = performance.now()
    await seedCounterparties(owner, walletId)
    await insertBulkHistory(owner, { walletId, operations })
    const middle = await middleOf(owner, walletId)
    sides.push({ walletId, operations, key: customers[index]?.key ?? '', middle })
    console.log(`wrote ${operations} operations in ${fixed((performance.now() - started) / 1000, 1)} s`)
  }
  await owner.query('vacuum analyze')
  const [short, long] = sides
  if (short === undefined || long === undefined) throw new Error('two wallets are compared')
  return [short, long]
}

async function seedCounterparties(owner: Database, walletId: bigint): Promise<void> {
  await owner.query(
    `insert into identity.customers
       (id, number, email, email_key, handle, name, password_hash, base_currency, created_at)
     select gen_random_uuid(), $1::bigint + number, email, email, 'cp' || $1::bigint + number,
       'Counter Party', '$argon2id$none', 'EUR', now()
     from generate_series(0, 20) number
     cross join lateral (select 'cp' || $1::bigint + number || '@bench.example' as email) address`,
    [bulkCounterparties(walletId).frequent],
  )
}

type Ask = (
  side: Side,
  query: Record<string, string>,
) => Promise<{ ms: number; items: number; nextCursor: string | null }>

/** One connection, kept open; the time is from the request's first byte to the answer's last. */
function openClient(port: number): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  return (side, query) =>
    new Promise((resolve, reject) => {
      const path = `/api/v1/operations?${new URLSearchParams(query)}`
      const started = performance.now()
      const headers = { authorization: `Bearer ${side.key}` }
      const asked = request({ host: '127.0.0.1', port, path, agent, headers }, (answer) => {
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('error', reject)
        answer.on('end', () => {
          const ms = performance.now() - started
          const body = Buffer.concat(chunks).toString()
          if (answer.statusCode !== 200) return reject(new Error(`${path}: ${body}`))
          const { items, nextCursor } = JSON.parse(body) as { items: unknown[]; nextCursor: string | null }
          return resolve({ ms, items: items.length, nextCursor })
        })
      })
      asked.on('error', reject)
      asked.end()
    })
}

/** A first search has the server build the wallet's index in the background; this waits until it has. */
async function buildIndexes(owner: Database, ask: Ask, sides: readonly Side[]): Promise<void> {
  for (const side of sides) {
    const started = performance.now()
    const first = await ask(side, { q: RARE.word })
    console.log(`${side.operations} operations, first search without an index: ${fixed(first.ms, 1)} ms`)
    for (;;) {
      const { rows } = await owner.query<{ waiting: boolean }>(
        `select coalesce(max(last_seq), 0) < (
           select max(seq) from ledger.entries where ((account_id >> 27) << 6 | kind) = ($1::bigint << 6 | 3)
             and account_id >= 134217728000
         ) as waiting from history.chunks where wallet_id = $1`,
        [side.walletId],
      )
      if (rows[0]?.waiting === false) break
      await sleep(200)
    }
    console.log(`indexed in ${fixed((performance.now() - started) / 1000, 1)} s`)
  }
  const { rows } = await owner.query<{ ledger: string; history: string }>(
    `select pg_size_pretty(sum(pg_total_relation_size(oid)) filter (where nspname = 'ledger')) as ledger,
       pg_size_pretty(sum(pg_total_relation_size(oid)) filter (where nspname = 'history')) as history
     from (select c.oid, nspname from pg_class c join pg_namespace n on n.oid = relnamespace where relkind = 'r') t`,
  )
  console.log(`ledger ${rows[0]?.ledger}, indexes of histories ${rows[0]?.history}`)
  await owner.query('vacuum analyze')
}

async function measure(ask: Ask, sides: readonly [Side, Side], rounds: number): Promise<string> {
  const rows: string[][] = []
  let worst = 0
  for (const question of questions()) {
    const limit = await pageOf(ask, sides[0], question)
    const [short, long] = await askInTurn(ask, sides, { question, rounds, limit })
    const ratio = median(long.ms) / median(short.ms)
    worst = Math.max(worst, ratio)
    rows.push([
      question.what,
      `${short.items}${short.more ? '+' : ''}`,
      `${long.items}${long.more ? '+' : ''}`,
      fixed(median(short.ms), 2),
      fixed(median(long.ms), 2),
      fixed(ratio, 2),
    ])
  }
  const [short, long] = sides.map(({ operations }) => operations.toLocaleString('en-GB'))
  const header = ['filter', 'matches', 'matches', `${short}, ms`, `${long}, ms`, 'ratio']
  const table = markdownTable(header, rows)
  const verdict = `Highest ratio ${fixed(worst, 2)}, claimed at most ${RATIO_MAX}: ${worst <= RATIO_MAX ? 'holds' : 'DOES NOT HOLD'}.`
  console.log(`\n${table}\n\n${verdict}`)
  return `${table}\n\n${verdict}`
}

interface Asked {
  readonly ms: number[]
  items: number
  more: boolean
}

/** Pages of the same length are compared: what the short history has, where that is not a full page. */
async function pageOf(ask: Ask, short: Side, question: Question): Promise<number> {
  const { items } = await ask(short, { limit: `${PAGE}`, ...question.of(short) })
  return items === 0 ? PAGE : items
}

/** Alternating, so that whatever else the machine does falls on both alike. */
async function askInTurn(
  ask: Ask,
  sides: readonly [Side, Side],
  { question, rounds, limit }: { question: Question; rounds: number; limit: number },
): Promise<[Asked, Asked]> {
  const results: [Asked, Asked] = [
    { ms: [], items: 0, more: false },
    { ms: [], items: 0, more: false },
  ]
  const warmUpRounds = 5
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    for (const index of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const side = sides[index]
      const { ms, items, nextCursor } = await ask(side, { limit: `${limit}`, ...question.of(side) })
      const result = results[index]
      if (round >= 0) result.ms.push(ms)
      result.items = items
      result.more = nextCursor !== null
    }
  }
  return results
}

async function middleOf(owner: Database, walletId: bigint): Promise<string> {
  const { rows } = await owner.query<{ at: Date }>(
    `select recorded_at as at from ledger.journals where seq = (
       select seq from ledger.entries
       where account_id = ($1::bigint << 27) | (978 << 7)
         and version = (select version / 2 from ledger.accounts where id = ($1::bigint << 27) | (978 << 7)))`,
    [walletId],
  )
  return rows[0]?.at.toISOString() ?? ''
}

function questions(): Question[] {
  const frequent = (side: Side): string => `@cp${bulkCounterparties(side.walletId).frequent}`
  const rare = (side: Side): string => `@cp${bulkCounterparties(side.walletId).rare}`
  const same = (what: string, query: Record<string, string>): Question => ({ what, of: () => query })
  const amounts = { asset: 'EUR', amountMin: RARE.amountMin, amountMax: RARE.amountMax }
  return [
    same('nothing', {}),
    { what: 'until the middle', of: (side) => ({ to: side.middle }) },
    same('frequent kind', { kind: 'transfer' }),
    same('kind that occurs 3 times', { kind: RARE.kind }),
    same('frequent asset', { asset: 'USD' }),
    { what: 'frequent asset, until the middle', of: (side) => ({ asset: 'EUR', to: side.middle }) },
    same('asset used once', { asset: RARE.asset }),
    { what: 'frequent counterparty', of: (side) => ({ counterparty: frequent(side) }) },
    { what: 'counterparty met 3 times', of: (side) => ({ counterparty: rare(side) }) },
    same('wide range of amounts', { asset: 'EUR', amountMin: '100.00', amountMax: '900.00' }),
    same('range of amounts with 3 matches', amounts),
    same('one exact amount', { asset: 'EUR', amountMin: RARE.amount, amountMax: RARE.amount }),
    same('range of amounts without a match', { asset: 'EUR', amountMin: '1000.50', amountMax: '2000.00' }),
    same('word in 3 notes', { q: RARE.word }),
    same('beginning of a word in 3 notes', { q: 'zlotog' }),
    same('frequent word', { q: 'coffee' }),
    same('frequent beginning', { q: 'gro' }),
    same('beginning of 300 words', { q: 'proje' }),
    same('two frequent words', { q: 'rent july' }),
    same('word in no note', { q: 'absolutely' }),
    same('kind and asset, 3 matches', { kind: RARE.kind, asset: 'USD' }),
    same('frequent kind and frequent asset that never meet', { kind: 'transfer', asset: 'USD' }),
    same('kind and rare word', { kind: 'transfer', q: RARE.word }),
    same('kind and amounts', { kind: 'transfer', ...amounts }),
    {
      what: 'frequent counterparty and rare amount',
      of: (side) => ({ counterparty: frequent(side), ...amounts }),
    },
    {
      what: 'rare counterparty and frequent kind',
      of: (side) => ({ counterparty: rare(side), kind: 'transfer' }),
    },
    {
      what: 'frequent word, frequent counterparty',
      of: (side) => ({ counterparty: frequent(side), q: 'lunch' }),
    },
    { what: 'rare word until the middle', of: (side) => ({ q: RARE.word, to: side.middle }) },
    same('word, kind, asset and amounts', {
      q: 'luck',
      kind: 'transfer',
      asset: 'EUR',
      amountMin: '20.00',
      amountMax: '20.00',
    }),
  ]
}
