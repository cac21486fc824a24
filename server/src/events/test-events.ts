import { pino } from 'pino'
import { journalEvent } from '@kantor/contract/events'
import type { JournalEvent } from '@kantor/contract/events'
import { accountId, JOURNAL_KINDS, PURPOSE, type Ledger, type PostCommand } from '#ledger'
import { createMetrics } from '#telemetry'
import type { Database, Tx } from '#db'
import type { SeededRandom } from '#test/seeded-random'
import { available, deposit, EUR, funding, transfer, USD } from '#test/test-ledger'
import { createEvents, type Events } from './create-events.ts'
import type { EventsDeps } from './create-events.ts'

/** Events as one process of several would have them. */
export function testEvents(db: Database, options: Partial<EventsDeps> = {}): Events {
  return createEvents({
    db,
    amqpUrl: null,
    log: pino({ level: 'silent' }),
    random: Math.random,
    metrics: createMetrics(),
    ...options,
  })
}

/** The same lines as the auditor's, from what was told; each event must be what its schema says. */
export function linesOf(events: readonly JournalEvent[]): string[] {
  return events.flatMap((event) =>
    journalEvent.parse(event).parties.flatMap(({ walletId, amounts, balances }) =>
      balances.map((balance) => {
        const amount = amounts.find(({ asset }) => asset === balance.asset)?.amount ?? '0'
        const held = [balance.available, balance.reserved].map((text) => `${text} ${balance.asset}`)
        const kind = JOURNAL_KINDS[event.kind]
        const at = Date.parse(event.at)
        return [event.seq, at, kind, walletId, `${amount} ${balance.asset}`, ...held].join(' ')
      }),
    ),
  )
}

const WALLETS = 8
const reserved = (walletId: number, assetId: number) =>
  accountId({ walletId: BigInt(walletId), assetId, purpose: PURPOSE.reserved })

/** Gives every wallet something to move. */
export async function fund(ledger: Ledger): Promise<void> {
  for (let wallet = 1_000; wallet < 1_000 + WALLETS; wallet += 1) {
    for (const asset of [EUR, USD])
      await ledger.post(deposit(`fund-${wallet}-${asset}`, available(wallet, asset), 10_000n))
  }
}

let serial = 0

/** Transfers, reserves, releases, conversions and journals of the house alone, some refused. */
export async function postAtRandom(ledger: Ledger, random: SeededRandom, commands: number): Promise<void> {
  const all = Array.from({ length: commands }, () => ledger.post(anyCommand(random)))
  await Promise.all(all)
}

function anyCommand(random: SeededRandom): PostCommand {
  const [asset, other] = random.pick([
    [EUR, USD],
    [USD, EUR],
  ] as const)
  const [one, two] = [1_000 + random.int(0, WALLETS - 1), 1_000 + random.int(0, WALLETS - 1)]
  const amount = random.bigint(1n, 500n)
  const key = `events-${(serial += 1)}`
  const plain = transfer(key, available(one, asset), available(two, asset), amount)
  const move = (from: bigint, to: bigint) => ({ postings: [{ from, to, amount }], opens: [from, to] })
  switch (random.int(0, 5)) {
    case 0:
      return { ...plain, kind: 'reserve', ...move(available(one, asset), reserved(one, asset)) }
    case 1:
      return { ...plain, kind: 'release', ...move(reserved(one, asset), available(one, asset)) }
    case 2:
      return { ...plain, kind: 'adjustment', ...move(funding(asset), funding(asset) + 1n) }
    case 3: {
      const postings = [
        { from: reserved(one, asset), to: funding(asset), amount },
        { from: funding(other), to: available(one, other), amount: amount * 2n },
        { from: available(one, asset), to: funding(asset), amount: 1n },
      ]
      return { ...plain, kind: 'trade', postings, opens: postings.flatMap(({ from, to }) => [from, to]) }
    }
    default:
      return plain
  }
}

/** Where the tests' consumers write what they handled, in the transaction in which they did. */
export async function createHandled(ownerDb: Database): Promise<void> {
  await ownerDb.query(
    `create table handled (no bigint generated always as identity, consumer text not null, seq bigint not null)`,
  )
  await ownerDb.query('grant select, insert on handled to kantor_app')
}

export async function noteHandled(tx: Tx, consumer: string, events: readonly JournalEvent[]): Promise<void> {
  for (const { seq } of events)
    await tx.query('insert into handled (consumer, seq) values ($1, $2)', [consumer, seq])
}

export async function handledSeqs(db: Database, consumer: string): Promise<string[]> {
  const { rows } = await db.query<{ seq: bigint }>(
    'select seq from handled where consumer = $1 order by no',
    [consumer],
  )
  return rows.map(({ seq }) => String(seq))
}
