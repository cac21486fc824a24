import * as fc from 'fast-check'
import { available, EUR, funding, hashOf, USD } from '#test/test-ledger'
import { describe, expect, it } from 'vitest'
import { decide, mirrorOf, type AccountState, type DraftVerdict, type LedgerState } from './decide.ts'
import { journalId, seqOf } from './journal-id.ts'
import type { JournalRow } from './journal-row.ts'
import { prepareCommand, type PreparedCommand } from './prepare-command.ts'
import type { PostCommand } from './types.ts'

const MAX = 2n ** 63n - 1n
const ALICE = available(1_000)
const BOB = available(1_001)
const HOUSE = funding()
const ALICE_USD = available(1_000, USD)
const NOW = new Date('2026-05-05T12:00:00Z')
const ORIGINAL_AT = new Date('2026-05-04T12:00:00Z')
const ORIGINAL_SEQ = seqOf(7n, 3)

function stateOf(balances: Partial<Record<'alice' | 'bob' | 'house', bigint>>): LedgerState {
  const account = (id: bigint, balance: bigint, floor: bigint | null): [bigint, AccountState] => [
    id,
    { id, balance, floor, version: 5n },
  ]
  return {
    accounts: new Map([
      account(ALICE, balances.alice ?? 0n, 0n),
      account(BOB, balances.bob ?? 0n, 0n),
      account(HOUSE, balances.house ?? 0n, null),
      account(ALICE_USD, 0n, 0n),
    ]),
    frozenByAsset: new Map([
      [EUR, false],
      [USD, true],
    ]),
    byKey: new Map(),
    consumed: new Set(['quote:taken']),
    originals: new Map([[ORIGINAL_SEQ, originalRow]]),
    now: NOW,
  }
}

const originalRow: JournalRow = {
  seq: ORIGINAL_SEQ,
  kind: 3,
  scope: 1_000n,
  recordedAt: ORIGINAL_AT,
  effectiveAt: null,
  requestHash: hashOf('original'),
  postings: [BOB, ALICE, 4n, ALICE, HOUSE, 1n],
  reverses: null,
  reversedAt: null,
  detail: null,
}

let keys = 0

function command(more: Partial<PostCommand>): PreparedCommand {
  return prepareCommand({
    kind: 'transfer',
    scope: 1_000n,
    key: `key-${(keys += 1)}`,
    requestHash: hashOf('request'),
    postings: [move(ALICE, BOB, 1n)],
    ...more,
  })
}

function move(from: bigint, to: bigint, amount: bigint) {
  return { from, to, amount }
}

function outcomeOf(verdict: DraftVerdict | undefined): string {
  if (verdict === undefined) return 'none'
  return verdict.outcome === 'refused' ? verdict.reason : verdict.outcome
}

const mirror = [move(HOUSE, ALICE, 1n), move(ALICE, BOB, 4n)]
const reversal = {
  kind: 'reversal' as const,
  reverses: journalId(ORIGINAL_AT, ORIGINAL_SEQ),
  postings: mirror,
}
const anotherTime = journalId(new Date(ORIGINAL_AT.getTime() + 1), ORIGINAL_SEQ)

/** One row per input and outcome; Alice has 10, Bob 4, the house anything. */
const TABLE: [string, Partial<PostCommand>, string][] = [
  ['pays what there is', { postings: [move(ALICE, BOB, 10n)] }, 'posted'],
  ['pays one more than there is', { postings: [move(ALICE, BOB, 11n)] }, 'insufficient_funds'],
  ['lets the house owe', { postings: [move(HOUSE, ALICE, 1_000n)] }, 'posted'],
  ['moves nothing', { postings: [move(ALICE, BOB, 0n)] }, 'non_positive_amount'],
  ['moves less than nothing', { postings: [move(ALICE, BOB, -1n)] }, 'non_positive_amount'],
  ['moves to the same account', { postings: [move(ALICE, ALICE, 1n)] }, 'same_account'],
  ['moves to another asset', { postings: [move(ALICE, ALICE_USD, 1n)] }, 'asset_mismatch'],
  ['moves a frozen asset', { postings: [move(funding(USD), ALICE_USD, 1n)] }, 'asset_frozen'],
  ['moves an unknown asset', { postings: [move(funding(999), available(1_000, 999), 1n)] }, 'unknown_asset'],
  ['moves from an unknown account', { postings: [move(available(5_555), BOB, 1n)] }, 'unknown_account'],
  ['moves to an unknown account', { postings: [move(ALICE, available(5_555), 1n)] }, 'unknown_account'],
  ['moves more than 64 bits', { postings: [move(HOUSE, ALICE, MAX + 1n)] }, 'overflow'],
  ['fills an account past 64 bits', { postings: [move(HOUSE, ALICE, MAX - 9n)] }, 'overflow'],
  ['fills an account to 64 bits', { postings: [move(HOUSE, ALICE, MAX - 10n)] }, 'posted'],
  [
    'spends what an earlier posting brings',
    { postings: [move(BOB, ALICE, 4n), move(ALICE, BOB, 14n)] },
    'posted',
  ],
  [
    'spends what a later posting brings',
    { postings: [move(ALICE, BOB, 14n), move(BOB, ALICE, 4n)] },
    'insufficient_funds',
  ],
  [
    'fails in its last posting',
    { postings: [move(ALICE, BOB, 1n), move(BOB, HOUSE, 6n)] },
    'insufficient_funds',
  ],
  ['is judged at its last moment', { notAfter: NOW }, 'posted'],
  ['is judged a millisecond late', { notAfter: new Date(NOW.getTime() - 1) }, 'expired'],
  ['consumes what is free', { consumes: 'quote:free' }, 'posted'],
  ['consumes what is taken', { consumes: 'quote:taken' }, 'already_consumed'],
  ['reverses in full', reversal, 'posted'],
  ['reverses in full, in another order', { ...reversal, postings: mirror.toReversed() }, 'posted'],
  ['reverses a part', { ...reversal, postings: mirror.slice(1) }, 'exceeds_original'],
  ['reverses more', { ...reversal, postings: [...mirror, move(ALICE, BOB, 1n)] }, 'exceeds_original'],
  ['reverses the wrong way', { ...reversal, postings: mirrorOf(mirror) }, 'exceeds_original'],
  [
    'reverses what does not exist',
    { ...reversal, reverses: journalId(ORIGINAL_AT, seqOf(8n, 3)) },
    'unknown_original',
  ],
  ['reverses an id with another time', { ...reversal, reverses: anotherTime }, 'unknown_original'],
  ['reverses what is no id', { ...reversal, reverses: 'x' }, 'unknown_original'],
]

describe('decide', () => {
  it.each(TABLE)('a command that %s', (_, given, outcome) => {
    const state = stateOf({ alice: 10n, bob: 4n })
    const { verdicts, journals, entries, changed } = decide(state, [command(given)])
    expect(verdicts.map(outcomeOf)).toEqual([outcome])
    const count = outcome === 'posted' ? (given.postings?.length ?? 1) : 0
    expect([journals.length, entries.length]).toEqual([Math.min(count, 1), count * 2])
    if (count === 0) expect(changed).toEqual([])
  })

  it('numbers entries without gaps and says the balance after each', () => {
    const { entries, changed } = decide(stateOf({ alice: 10n }), [
      command({ postings: [move(ALICE, BOB, 3n), move(ALICE, HOUSE, 2n)] }),
      command({ postings: [move(BOB, ALICE, 1n)] }),
    ])
    const ofAlice = entries.filter(({ accountId }) => accountId === ALICE)
    expect(
      ofAlice.map(({ version, amount, balanceAfter, position }) => [version, amount, balanceAfter, position]),
    ).toEqual([
      [6n, -3n, 7n, 0],
      [7n, -2n, 5n, 0],
      [8n, 1n, 6n, 1],
    ])
    expect(changed.find(({ id }) => id === ALICE)).toMatchObject({ balance: 6n, version: 8n })
  })

  it('judges a key of the same batch as a replay of the first', () => {
    const once = command({ key: 'twice', postings: [move(ALICE, BOB, 6n)] })
    const { verdicts, journals } = decide(stateOf({ alice: 10n }), [once, once])
    expect(verdicts).toEqual([
      { outcome: 'posted', replayed: false, position: 0 },
      { outcome: 'posted', replayed: true, position: 0 },
    ])
    expect(journals).toHaveLength(1)
  })

  it('lets a key that was refused be used by a later command of the batch', () => {
    const poor = command({ key: 'again', postings: [move(ALICE, BOB, 6n)] })
    const verdicts = decide(stateOf({}), [
      poor,
      command({ postings: [move(HOUSE, ALICE, 6n)] }),
      poor,
    ]).verdicts
    expect(verdicts.map(outcomeOf)).toEqual(['insufficient_funds', 'posted', 'posted'])
  })

  it('answers a known key as before, whatever has changed since, and refuses it for another request', () => {
    const known = command({ key: 'known', notAfter: new Date(0), consumes: 'quote:taken' })
    const row = { ...originalRow, requestHash: hashOf('request') }
    const state = { ...stateOf({}), byKey: new Map([[known.lookup, row]]) }
    expect(decide(state, [known]).verdicts).toEqual([{ outcome: 'replayed', journal: row }])
    const other = command({ key: 'known', requestHash: hashOf('another') })
    expect(decide(state, [other]).verdicts.map(outcomeOf)).toEqual(['key_reused'])
  })

  it('keeps keys of different scopes apart', () => {
    const verdicts = decide(stateOf({ alice: 2n }), [
      command({ key: 'k', scope: 1_000n }),
      command({ key: 'k', scope: 1_001n }),
    ]).verdicts
    expect(verdicts.map(outcomeOf)).toEqual(['posted', 'posted'])
  })

  it('lets one of a batch consume a thing', () => {
    const verdicts = decide(stateOf({ alice: 8n }), [
      command({ consumes: 'quote:1', postings: [move(ALICE, BOB, 9n)] }),
      command({ consumes: 'quote:1' }),
      command({ consumes: 'quote:1' }),
      command(reversal),
      command(reversal),
    ]).verdicts
    expect(verdicts.map(outcomeOf)).toEqual([
      'insufficient_funds',
      'posted',
      'already_consumed',
      'posted',
      'already_consumed',
    ])
  })
})

/** The same rules, written apart: one map of balances, one list of what happened, nothing prepared. */
function oracle(
  start: Map<bigint, bigint>,
  commands: PostCommand[],
): { outcomes: string[]; end: Map<bigint, bigint> } {
  let book = new Map(start)
  const done = new Map<string, string>()
  const used = new Set<string>()
  const outcomes = commands.map((one) => {
    const request = one.requestHash.toString('hex')
    const before = done.get(`${one.scope}/${one.key}`)
    if (before !== undefined) return before === request ? 'posted' : 'key_reused'
    if (one.postings.some(({ amount }) => amount < 1n)) return 'non_positive_amount'
    if (one.consumes !== undefined && used.has(one.consumes)) return 'already_consumed'
    const next = new Map(book)
    for (const { from, to, amount } of one.postings) {
      const left = (next.get(from) ?? 0n) - amount
      if (left < 0n && from !== HOUSE) return 'insufficient_funds'
      next.set(from, left)
      next.set(to, (next.get(to) ?? 0n) + amount)
    }
    book = next
    done.set(`${one.scope}/${one.key}`, request)
    if (one.consumes !== undefined) used.add(one.consumes)
    return 'posted'
  })
  return { outcomes, end: book }
}

const accountIds = fc.constantFrom(ALICE, BOB, HOUSE)
const postings = fc
  .tuple(accountIds, accountIds, fc.bigInt({ min: -1n, max: 12n }))
  .filter(([from, to]) => from !== to)
  .map(([from, to, amount]) => ({ from, to, amount }))
const anyCommand: fc.Arbitrary<PostCommand> = fc
  .record({
    scope: fc.constantFrom(1n, 2n),
    key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    requestHash: fc.constantFrom(hashOf('one'), hashOf('one'), hashOf('two')),
    postings: fc.array(postings, { minLength: 1, maxLength: 4 }),
    consumes: fc.option(fc.constantFrom('x', 'y'), { nil: null }),
  })
  .map(({ consumes, ...rest }) => ({ kind: 'transfer', ...rest, ...(consumes === null ? {} : { consumes }) }))

describe('properties of decide', () => {
  const batches = fc.record({
    alice: fc.bigInt({ min: 0n, max: 20n }),
    bob: fc.bigInt({ min: 0n, max: 20n }),
    commands: fc.array(anyCommand, { maxLength: 12 }),
  })

  it('agrees with an oracle that was written apart', () => {
    fc.assert(
      fc.property(batches, ({ alice, bob, commands }) => {
        const state = stateOf({ alice, bob, house: -alice - bob })
        const decision = decide(state, commands.map(prepareCommand))
        const expected = oracle(
          new Map([...state.accounts].map(([id, { balance }]) => [id, balance])),
          commands,
        )
        expect(decision.verdicts.map(outcomeOf)).toEqual(expected.outcomes)
        for (const { id, balance } of decision.changed) expect(balance).toBe(expected.end.get(id))
      }),
      { numRuns: 2_000 },
    )
  })

  it('sums to zero, has no gap in any version, and ends each account at its last entry', () => {
    fc.assert(
      fc.property(batches, ({ alice, bob, commands }) => {
        const { entries, changed } = decide(stateOf({ alice, bob }), commands.map(prepareCommand))
        expect(entries.reduce((sum, { amount }) => sum + amount, 0n)).toBe(0n)
        for (const { id, balance, version } of changed) {
          const own = entries.filter(({ accountId }) => accountId === id)
          expect(own.map((entry) => entry.version)).toEqual(own.map((_, index) => 6n + BigInt(index)))
          expect([own.at(-1)?.balanceAfter, own.at(-1)?.version]).toEqual([balance, version])
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('does not change what it was given, and decides the same again', () => {
    fc.assert(
      fc.property(batches, ({ alice, bob, commands }) => {
        const state = stateOf({ alice, bob })
        const prepared = commands.map(prepareCommand)
        const first = decide(state, prepared)
        expect(decide(state, prepared)).toEqual(first)
        expect(state).toEqual(stateOf({ alice, bob }))
      }),
    )
  })

  it('decides commands in one batch as it would one after the other', () => {
    fc.assert(
      fc.property(batches, ({ alice, bob, commands }) => {
        const start = stateOf({ alice, bob })
        const together = decide(start, commands.map(prepareCommand))
        const accounts = new Map(start.accounts)
        const consumed = new Set(start.consumed)
        const byKey = new Map<string, JournalRow>()
        const apart = commands.map(prepareCommand).map((prepared) => {
          const { verdicts, changed, journals } = decide({ ...start, accounts, consumed, byKey }, [prepared])
          for (const account of changed) accounts.set(account.id, account)
          for (const {
            lookup,
            consumes,
            command: { requestHash },
          } of journals) {
            byKey.set(lookup, { ...originalRow, requestHash })
            if (consumes !== null) consumed.add(consumes)
          }
          return outcomeOf(verdicts[0]).replace('replayed', 'posted')
        })
        expect(together.verdicts.map(outcomeOf)).toEqual(apart)
      }),
    )
  })
})
