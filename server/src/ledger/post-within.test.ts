import { DatabaseUnavailable } from '#db'
import {
  accountId,
  balanceAt,
  balanceOf,
  balances,
  headOf,
  journalSeqsOfWallet,
  journalsOfBlocks,
  PURPOSE,
} from '#ledger'
import { auditLedger } from '#test/auditor'
import type { PostCommand } from '#ledger'
import { testDatabase } from '#test/harness'
import {
  available,
  deposit,
  EUR,
  funding,
  outcomeOf,
  posted,
  testLedger,
  transfer,
  USD,
} from '#test/test-ledger'
import { afterEach, describe, expect, it } from 'vitest'

const database = await testDatabase()
const { db, ownerDb } = database
const ledger = await testLedger(database)
await ownerDb.query('create table public.orders (id integer primary key)')
await ownerDb.query('grant select, insert on public.orders to kantor_app')

afterEach(async () => {
  expect(await auditLedger(db)).toEqual([])
})

let wallets = 1000n
const wallet = () => (wallets += 1n)
let keys = 0
const newKey = () => `key-${(keys += 1)}`

describe('posting within a tx', () => {
  it('posts several commands in one block, each judged with what the one before it did', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    const verdicts = await db.transaction((tx) =>
      ledger.postWithin(tx, [
        deposit(newKey(), alice, 10n),
        transfer(newKey(), alice, bob, 10n),
        transfer(newKey(), alice, bob, 1n),
      ]),
    )
    expect(verdicts.map(outcomeOf)).toEqual(['posted', 'posted', 'insufficient_funds'])
    expect(posted(verdicts[1]).seq).toBe(posted(verdicts[0]).seq + 1n)
  })

  it('keeps or undoes the caller’s rows and its postings together', async () => {
    const alice = available(wallet())
    const fails = db.transaction(async (tx) => {
      await tx.query('insert into public.orders values (1)')
      await ledger.postWithin(tx, [deposit(newKey(), alice, 10n)])
      throw new Error('changed my mind')
    })
    await expect(fails).rejects.toThrow('changed my mind')
    expect(await balanceOf(db, alice)).toBe(0n)
    await db.transaction(async (tx) => {
      await tx.query('insert into public.orders values (1)')
      await ledger.postWithin(tx, [deposit(newKey(), alice, 10n)])
    })
    expect(await balanceOf(db, alice)).toBe(10n)
  })

  it('leaves no block when everything was refused or replayed', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    const command = deposit(newKey(), alice, 1n)
    await ledger.post(command)
    const before = await headOf(db)
    const verdicts = await db.transaction((tx) =>
      ledger.postWithin(tx, [command, transfer(newKey(), alice, bob, 2n)]),
    )
    expect(verdicts.map(outcomeOf)).toEqual(['replayed', 'insufficient_funds'])
    expect(await ledger.post(command)).toMatchObject({ replayed: true })
    expect(await headOf(db)).toEqual(before)
  })

  it('lets the caller see locked balances before it decides what to post', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 7n))
    const [verdict] = await db.transaction(async (tx) => {
      const locked = await ledger.lockAccounts(tx, [alice], [bob])
      const all = locked.balances.get(alice) ?? 0n
      return locked.post([transfer(newKey(), alice, bob, all)])
    })
    expect(outcomeOf(verdict)).toBe('posted')
    expect([await balanceOf(db, alice), await balanceOf(db, bob)]).toEqual([0n, 7n])
  })

  it('refuses to post on an account that was not locked, since that would break the lock order', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    const work = db.transaction(async (tx) => {
      const locked = await ledger.lockAccounts(tx, [alice])
      return locked.post([transfer(newKey(), alice, bob, 1n)])
    })
    await expect(work).rejects.toThrow(/without having been locked/)
  })

  it('makes callers that lock the same accounts in opposite orders wait, never deadlock', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 100n))
    await ledger.post(deposit(newKey(), bob, 100n))
    let attempts = 0
    const work = Array.from({ length: 60 }, (_, index) => {
      const [from, to] = index % 2 === 0 ? [alice, bob] : [bob, alice]
      return db.transaction(async (tx) => {
        attempts += 1
        const locked = await ledger.lockAccounts(tx, [from, to])
        return locked.post([transfer(newKey(), from, to, 1n)])
      })
    })
    await Promise.all(work)
    expect(attempts).toBe(60)
  })

  it('gives a caller’s tx and the poster one order: neither overdraws', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 50n))
    const attempts = Array.from({ length: 100 }, (_, index) => {
      const command = transfer(newKey(), alice, bob, 1n)
      return index % 2 === 0 ? ledger.post(command) : db.transaction((tx) => ledger.postWithin(tx, [command]))
    })
    const outcomes = (await Promise.all(attempts)).flat().map(outcomeOf)
    expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(50)
  })

  it('is cut off when it falls asleep with its locks, and the others go on', async () => {
    const alice = available(wallet())
    await ledger.post(deposit(newKey(), alice, 1n))
    let isAsleep = () => {}
    let wake = () => {}
    const asleep = new Promise<void>((resolve) => (isAsleep = resolve))
    const awake = new Promise<void>((resolve) => (wake = resolve))
    const sleeper = db.transaction(async (tx) => {
      const locked = await ledger.lockAccounts(tx, [alice, funding()])
      isAsleep()
      await awake
      return locked.post([deposit(newKey(), alice, 5n)])
    })
    const outcome = expect(sleeper).rejects.toBeInstanceOf(DatabaseUnavailable)
    await asleep
    expect(outcomeOf(await ledger.post(deposit(newKey(), alice, 1n)))).toBe('posted')
    wake()
    await outcome
    expect(await balanceOf(db, alice)).toBe(2n)
  })

  it('judges a key that is used at once for different accounts without undoing anybody’s tx', async () => {
    const key = newKey()
    // From an account of the house each, or its lock would keep them apart.
    const house = (purpose: number) => accountId({ walletId: 1n, assetId: EUR, purpose })
    const attempts = Array.from({ length: 8 }, (_, index) => {
      const command = { ...transfer(key, house(index + 30), available(wallet()), 1n), scope: 0n }
      return db.transaction((tx) => ledger.postWithin(tx, [command]))
    })
    const outcomes = (await Promise.all(attempts)).flat().map(outcomeOf)
    expect(outcomes.toSorted()).toEqual([...Array<string>(7).fill('key_reused'), 'posted'])
  })

  it('opens an account again whose first opening was undone with its tx', async () => {
    const alice = available(wallet())
    const fails = db.transaction(async (tx) => {
      await ledger.postWithin(tx, [deposit(newKey(), alice, 10n)])
      throw new Error('changed my mind')
    })
    await expect(fails).rejects.toThrow('changed my mind')
    // Twice, since the first may have left it known.
    for (const amount of [1n, 2n]) {
      const [verdict] = await db.transaction(async (tx) => {
        const locked = await ledger.lockAccounts(tx, [funding()], [alice])
        return locked.post([deposit(newKey(), alice, amount)])
      })
      expect(outcomeOf(verdict)).toBe('posted')
    }
    const [last] = await db.transaction((tx) => ledger.postWithin(tx, [deposit(newKey(), alice, 4n)]))
    expect(outcomeOf(last)).toBe('posted')
    expect(await balanceOf(db, alice)).toBe(7n)
  })

  it('lets the caller write rows that depend on the verdicts, which are kept or undone with the journals', async () => {
    const alice = available(wallet())
    const good = deposit(newKey(), alice, 1n)
    const post = (row: number, commands: PostCommand[]) =>
      db.transaction((tx) =>
        ledger.postWithin(tx, commands, async (verdicts) => {
          for (const [index, verdict] of verdicts.entries())
            if (verdict.outcome === 'posted' && !verdict.replayed)
              await tx.query('insert into public.orders values ($1)', [row + index])
        }),
      )
    await post(100, [good, transfer(newKey(), alice, available(wallet()), 5n), good])
    await expect(post(100, [deposit(newKey(), alice, 1n)])).rejects.toMatchObject({ code: '23505' })
    const { rows } = await db.query('select id from public.orders where id between 100 and 199')
    expect(rows).toEqual([{ id: 100 }])
    expect(await balanceOf(db, alice)).toBe(1n)
  })
})

describe('time', () => {
  it('never runs backwards, even when a process’s clock does', async () => {
    let now = new Date('2090-01-01T00:00:00Z')
    const own = await testDatabase()
    const timed = await testLedger(own, { clock: () => now })
    const alice = available(wallet())
    const first = posted(await timed.post(deposit('1', alice, 1n)))
    now = new Date('2089-01-01T00:00:00Z')
    const second = posted(await timed.post(deposit('2', alice, 1n)))
    expect([first.recordedAt, second.recordedAt]).toEqual([
      new Date('2090-01-01T00:00:00Z'),
      first.recordedAt,
    ])
  })

  it('refuses what is judged after its last moment', async () => {
    const alice = available(wallet())
    const late = { ...deposit(newKey(), alice, 1n), notAfter: new Date(Date.now() - 1) }
    expect(outcomeOf(await ledger.post(late))).toBe('expired')
  })

  it('knows every balance at every moment', async () => {
    let now = new Date('2026-03-01T00:00:00Z')
    const own = await testDatabase()
    const timed = await testLedger(own, { clock: () => now })
    const [alice, bob] = [available(wallet()), available(wallet())]
    const moments: [Date, bigint][] = [[new Date(0), 0n]]
    let balance = 0n
    for (let day = 1; day <= 30; day += 1) {
      now = new Date(Date.UTC(2026, 2, day))
      const count = (day % 3) + 1
      for (let index = 0; index < count; index += 1)
        posted(await timed.post(deposit(`${day}/${index}`, alice, 1n)))
      if (day % 5 === 0) posted(await timed.post(transfer(`${day}`, alice, bob, 2n)))
      balance += BigInt(count) - (day % 5 === 0 ? 2n : 0n)
      moments.push([now, balance], [new Date(now.getTime() + 3_600_000), balance])
    }
    for (const [at, expected] of moments) expect(await balanceAt(own.db, alice, at)).toBe(expected)
    expect(await balanceAt(own.db, available(9_999), now)).toBe(0n)
  })
})

describe('reads', () => {
  it('give a wallet’s balances and its feed, newest first, by kind and page', async () => {
    const [alice, bob] = [wallet(), wallet()]
    const refs = [
      posted(await ledger.post(deposit(newKey(), available(alice), 100n))),
      posted(await ledger.post(transfer(newKey(), available(alice), available(bob), 1n))),
      posted(await ledger.post(deposit(newKey(), available(alice, USD), 100n))),
      posted(await ledger.post(transfer(newKey(), available(alice), available(bob), 2n))),
    ]
    const seqs = refs.map(({ seq }) => seq).toReversed()
    expect(await balances(db, alice)).toEqual([
      { assetId: USD, purpose: PURPOSE.available, balance: 100n },
      { assetId: EUR, purpose: PURPOSE.available, balance: 97n },
    ])
    expect(await journalSeqsOfWallet(db, { walletId: alice, limit: 10 })).toEqual(seqs)
    expect(await journalSeqsOfWallet(db, { walletId: alice, limit: 2 })).toEqual(seqs.slice(0, 2))
    const rest = { walletId: alice, limit: 10, beforeSeq: seqs[1] ?? 0n }
    expect(await journalSeqsOfWallet(db, rest)).toEqual(seqs.slice(2))
    const transfers = await journalSeqsOfWallet(db, { walletId: alice, kinds: ['transfer'], limit: 10 })
    expect(transfers).toEqual([seqs[0], seqs[2]])
  })

  it('give whole blocks from a height on, in order of commit', async () => {
    const { height } = await headOf(db)
    const alice = available(wallet())
    await Promise.all([1, 2, 3].map(() => ledger.post(deposit(newKey(), alice, 1n))))
    const last = await headOf(db)
    const journals = await journalsOfBlocks(db, height + 1n, 100)
    expect(journals.length).toBe(3)
    expect(journals.map(({ seq }) => seq)).toEqual(
      journals.map(({ seq }) => seq).toSorted((one, other) => Number(one - other)),
    )
    expect(await journalsOfBlocks(db, last.height + 1n, 100)).toEqual([])
    expect(journals.every(({ postings }) => postings[0]?.from === funding())).toBe(true)
  })
})
