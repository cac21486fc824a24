import { balanceOf, journal, LedgerBusy } from '#ledger'
import { auditLedger } from '#test/auditor'
import { testDatabase } from '#test/harness'
import {
  available,
  deposit,
  EUR,
  funding,
  JPY,
  outcomeOf,
  posted,
  testLedger,
  transfer,
  USD,
} from '#test/test-ledger'
import { afterEach, describe, expect, it } from 'vitest'

const database = await testDatabase()
const { db } = database
const ledger = await testLedger(database)

afterEach(async () => {
  expect(await auditLedger(db)).toEqual([])
})

let wallets = 1000n
/** Wallets of a test's own. */
const wallet = () => (wallets += 1n)
let keys = 0
const newKey = () => `key-${(keys += 1)}`

describe('posting', () => {
  it('moves an amount and answers with the journal', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 1_000n))
    const ref = posted(
      await ledger.post(transfer(newKey(), alice, bob, 300n, { detail: { note: 'złoty €' } })),
    )
    expect([await balanceOf(db, alice), await balanceOf(db, bob)]).toEqual([700n, 300n])
    expect(await journal(db, ref.id)).toEqual(ref)
  })

  it('refuses what cannot be paid and leaves nothing behind', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 5n))
    const verdict = await ledger.post(transfer(newKey(), alice, bob, 6n))
    expect(verdict).toEqual({
      outcome: 'refused',
      reason: 'insufficient_funds',
      detail: { posting: 0, accountId: alice, balance: 5n },
    })
    expect(await balanceOf(db, alice)).toBe(5n)
  })

  it('refuses the command that fails and posts its neighbours in the batch', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    const verdicts = await Promise.all([
      ledger.post(deposit(newKey(), alice, 10n)),
      ledger.post(transfer(newKey(), alice, bob, 11n)),
      ledger.post(transfer(newKey(), alice, bob, 4n)),
      ledger.post(transfer(newKey(), alice, available(9_999, USD), 4n)),
    ])
    expect(verdicts.map(outcomeOf)).toEqual(['posted', 'insufficient_funds', 'posted', 'asset_mismatch'])
  })

  it('refuses an account that nobody opened, and an asset that nobody declared', async () => {
    const alice = available(wallet())
    await ledger.post(deposit(newKey(), alice, 10n))
    const unopened = transfer(newKey(), alice, available(wallet()), 1n, { opens: [] })
    expect(outcomeOf(await ledger.post(unopened))).toBe('unknown_account')
    const undeclared = transfer(newKey(), available(wallet(), 77_777), available(wallet(), 77_777), 1n)
    expect(outcomeOf(await ledger.post(undeclared))).toBe('unknown_asset')
  })

  it('lets the house go below zero and not above what 64 bits hold', async () => {
    const [alice, max] = [available(wallet(), JPY), 2n ** 63n - 1n]
    expect(outcomeOf(await ledger.post(deposit(newKey(), alice, max)))).toBe('posted')
    expect(outcomeOf(await ledger.post(deposit(newKey(), alice, 1n)))).toBe('overflow')
    expect(outcomeOf(await ledger.post(deposit(newKey(), alice, max + 1n)))).toBe('overflow')
    expect(await balanceOf(db, funding(JPY))).toBe(-max)
  })

  it('gives each journal the place and the time of its block, in order of commit', async () => {
    const alice = available(wallet())
    const refs = []
    for (let index = 0; index < 5; index += 1)
      refs.push(posted(await ledger.post(deposit(newKey(), alice, 1n))))
    expect(refs.map(({ seq }) => seq)).toEqual(
      refs.map(({ seq }) => seq).toSorted((one, other) => Number(one - other)),
    )
    expect(refs.map(({ id }) => id)).toEqual(refs.map(({ id }) => id).toSorted())
    expect(new Set(refs.map(({ blockHeight }) => blockHeight)).size).toBe(5)
  })

  it.each([
    ['no postings', { postings: [] }],
    ['an empty key', { key: '' }],
    ['a key of 256 characters', { key: 'x'.repeat(256) }],
    ['a short request hash', { requestHash: Buffer.alloc(15) }],
    ['a float in the detail', { detail: { rate: 1.5 } }],
    ['text that PostgreSQL cannot store', { detail: { note: 'a\0b' } }],
    ['half a surrogate pair', { detail: { note: '\ud800' } }],
    ['a reversal that names no original', { kind: 'reversal' as const }],
    ['what only a reversal consumes', { consumes: 'reversal:1' }],
  ])('throws at %s, which only a bug could ask for', async (_, wrong) => {
    const command = transfer(newKey(), available(1_000), available(1_001), 1n, wrong)
    await expect(ledger.post(command)).rejects.toThrow(TypeError)
  })
})

describe('keys', () => {
  it('posts a retried command once and answers as it did the first time', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 10n))
    const command = transfer(newKey(), alice, bob, 10n, {
      detail: { b: [1, null], a: 'x' },
      effectiveAt: new Date(7),
    })
    const first = await ledger.post(command)
    const second = await ledger.post(command)
    expect(outcomeOf(first)).toBe('posted')
    expect(second).toEqual({ ...first, replayed: true })
  })

  it('refuses a key that comes with another request', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    const key = newKey()
    await ledger.post(deposit(newKey(), alice, 10n))
    await ledger.post(transfer(key, alice, bob, 1n))
    expect(outcomeOf(await ledger.post(transfer(key, alice, bob, 2n)))).toBe('key_reused')
    expect(outcomeOf(await ledger.post(transfer(key, bob, alice, 1n)))).toBe('posted')
  })

  it('lets a refused command be tried again with its key', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    const command = transfer(newKey(), alice, bob, 10n)
    expect(outcomeOf(await ledger.post(command))).toBe('insufficient_funds')
    await ledger.post(deposit(newKey(), alice, 10n))
    expect(outcomeOf(await ledger.post(command))).toBe('posted')
  })

  it('has one effect when 500 at once bear one key', async () => {
    const other = await testLedger(database)
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 1_000n))
    const command = transfer(newKey(), alice, bob, 1n)
    const verdicts = await Promise.all(
      Array.from({ length: 500 }, (_, index) => (index % 2 === 0 ? ledger : other).post(command)),
    )
    expect(verdicts.filter((verdict) => outcomeOf(verdict) === 'posted')).toHaveLength(1)
    expect(new Set(verdicts.map((verdict) => posted(verdict).id)).size).toBe(1)
    expect(await balanceOf(db, bob)).toBe(1n)
  })

  it('judges keys that two processes use for different accounts at the same moment', async () => {
    const other = await testLedger(database)
    const alice = available(wallet())
    await ledger.post(deposit(newKey(), alice, 1_000n))
    for (let round = 0; round < 20; round += 1) {
      const key = newKey()
      const outcomes = await Promise.all([
        ledger.post({ ...deposit(key, available(wallet()), 1n), postings: [house(available(wallets))] }),
        other.post({
          ...deposit(key, available(wallet(), USD), 1n),
          postings: [house(available(wallets, USD), USD)],
        }),
      ])
      expect(outcomes.map(outcomeOf).toSorted()).toEqual(['key_reused', 'posted'])
    }
  })
})

function house(to: bigint, assetId = EUR) {
  return { from: funding(assetId), to, amount: 1n }
}

describe('single use', () => {
  it('spends exactly 100 when 1,000 at once want 1 of 100', async () => {
    const other = await testLedger(database)
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 100n))
    const verdicts = await Promise.all(
      Array.from({ length: 1_000 }, (_, index) =>
        (index % 2 === 0 ? ledger : other).post(transfer(newKey(), alice, bob, 1n)),
      ),
    )
    const outcomes = verdicts.map(outcomeOf)
    expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(100)
    expect(outcomes.filter((outcome) => outcome === 'insufficient_funds')).toHaveLength(900)
    expect([await balanceOf(db, alice), await balanceOf(db, bob)]).toEqual([0n, 100n])
  })

  it('consumes a thing once, however many at once try, with whatever accounts', async () => {
    const other = await testLedger(database)
    const attempts = Array.from({ length: 60 }, (_, index) => {
      const command = deposit(newKey(), available(wallet(), index % 2 === 0 ? EUR : USD), 1n)
      return (index % 2 === 0 ? ledger : other).post({ ...command, consumes: 'quote:1' })
    })
    const outcomes = (await Promise.all(attempts)).map(outcomeOf)
    expect(outcomes.filter((outcome) => outcome === 'posted')).toHaveLength(1)
    expect(outcomes.filter((outcome) => outcome === 'already_consumed')).toHaveLength(59)
  })

  it('reverses in full, once', async () => {
    const [alice, bob] = [available(wallet()), available(wallet())]
    await ledger.post(deposit(newKey(), alice, 10n))
    const original = posted(await ledger.post(transfer(newKey(), alice, bob, 10n)))
    const reversal = (amount: bigint, reverses = original.id) => ({
      ...transfer(newKey(), bob, alice, amount),
      kind: 'reversal' as const,
      reverses,
    })
    expect(outcomeOf(await ledger.post(reversal(9n)))).toBe('exceeds_original')
    expect(outcomeOf(await ledger.post(reversal(10n, original.id.replace(/^./, '1'))))).toBe(
      'unknown_original',
    )
    const reversed = posted(await ledger.post(reversal(10n)))
    expect(await journal(db, reversed.id)).toMatchObject({ kind: 'reversal', reverses: original.id })
    expect(outcomeOf(await ledger.post(reversal(10n)))).toBe('already_consumed')
    expect(await balanceOf(db, alice)).toBe(10n)
  })
})

describe('bounds', () => {
  it('is busy past its queue, and says so before anything is posted', async () => {
    const narrow = await testLedger(database, { queueMax: 5 })
    const alice = available(wallet())
    const results = await Promise.allSettled(
      Array.from({ length: 40 }, () => narrow.post(deposit(newKey(), alice, 1n))),
    )
    const busy = results.filter(({ status }) => status === 'rejected')
    expect(busy).toHaveLength(35)
    expect(busy[0]).toMatchObject({ reason: expect.any(LedgerBusy) })
    expect(await balanceOf(db, alice)).toBe(5n)
  })

  it('never lets a refusal of the server to one command fail its neighbours', async () => {
    const alice = available(wallet())
    const { ownerDb } = database
    await ownerDb.query(`alter table ledger.entries add constraint no_13 check (amount <> 13)`)
    try {
      const results = await Promise.allSettled(
        [1n, 13n, 2n, 3n].map((amount) => ledger.post(deposit(newKey(), alice, amount))),
      )
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled'])
      expect(await balanceOf(db, alice)).toBe(6n)
    } finally {
      await ownerDb.query('alter table ledger.entries drop constraint no_13')
    }
  })
})
