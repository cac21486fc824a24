import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { testDatabase } from '#test/harness'
import { describe, expect, it } from 'vitest'
import { accountId, accountParts, assetIdOf, walletIdOf } from './account-id.ts'
import { int2s, int8s, jsonbs, texts, timestamptzs, uuids } from './array-parameters.ts'
import { encodeDetail } from './canonical.ts'
import { GENESIS_HASH, inclusionPath, merkleRoot, rootOfPath } from './chain.ts'
import { heightOf, journalId, parseJournalId, positionOf, seqOf } from './journal-id.ts'

const { db } = await testDatabase()

describe('account ids', () => {
  it('hold their parts and give them back', () => {
    fc.assert(
      fc.property(
        fc.bigInt({ min: 1n, max: 2n ** 36n - 1n }),
        fc.integer({ min: 1, max: 2 ** 20 - 1 }),
        fc.integer({ min: 0, max: 127 }),
        (walletId, assetId, purpose) => {
          const id = accountId({ walletId, assetId, purpose })
          expect(accountParts(id)).toEqual({ walletId, assetId, purpose })
          expect([walletIdOf(id), assetIdOf(id)]).toEqual([walletId, assetId])
          expect(id).toBe(walletId * 2n ** 27n + BigInt(assetId) * 2n ** 7n + BigInt(purpose))
          expect(id < 2n ** 63n).toBe(true)
        },
      ),
    )
  })

  it.each([
    { walletId: 0n, assetId: 1, purpose: 0 },
    { walletId: 2n ** 36n, assetId: 1, purpose: 0 },
    { walletId: 1n, assetId: 0, purpose: 0 },
    { walletId: 1n, assetId: 2 ** 20, purpose: 0 },
    { walletId: 1n, assetId: 1.5, purpose: 0 },
    { walletId: 1n, assetId: 1, purpose: 128 },
    { walletId: 1n, assetId: 1, purpose: -1 },
  ])('refuse parts that do not fit: %o', (parts) => {
    expect(() => accountId(parts)).toThrow(RangeError)
  })
})

describe('journal ids', () => {
  const times = fc.integer({ min: 0, max: 2 ** 48 - 1 })
  const seqs = fc.bigInt({ min: 4096n, max: 2n ** 63n - 1n })

  it('are UUIDv7 and give back time and seq', () => {
    fc.assert(
      fc.property(times, seqs, (ms, seq) => {
        const id = journalId(new Date(ms), seq)
        expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
        expect(parseJournalId(id)).toEqual({ seq, recordedAtMs: ms })
      }),
    )
  })

  it('sort like times and seqs', () => {
    fc.assert(
      fc.property(times, seqs, seqs, (ms, one, other) => {
        expect(journalId(new Date(ms), one) < journalId(new Date(ms), other)).toBe(one < other)
      }),
    )
  })

  it.each(['', 'x', '01a2036a-0000-4000-8000-000000001000', '01A2036A-0000-7000-8000-000000001000'])(
    'are nothing else: %s',
    (id) => expect(parseJournalId(id)).toBeNull(),
  )

  it('hold height and position', () => {
    expect([heightOf(seqOf(9n, 4095)), positionOf(seqOf(9n, 4095))]).toEqual([9n, 4095])
  })
})

describe('array parameters', () => {
  const int8 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''))

  it('arrive in PostgreSQL as they were', async () => {
    const anyRow = fc.record({
      int8s: fc.array(fc.option(int8)),
      int2s: fc.array(fc.integer({ min: -32768, max: 32767 })),
      texts: fc.array(fc.option(text)),
      jsons: fc.array(fc.option(fc.dictionary(text, text))),
      uuids: fc.array(fc.uint8Array({ minLength: 16, maxLength: 16 })),
      micros: fc.array(fc.bigInt({ min: 0n, max: 10n ** 16n })),
    })
    await fc.assert(
      fc.asyncProperty(anyRow, async (row) => {
        const { rows } = await db.query(
          `select $1::bigint[] a, $2::smallint[] b, $3::text[] c, to_jsonb($4::jsonb[]) d,
             array(select uuid_send(u) from unnest($5::uuid[]) u) e,
             array(select (extract(epoch from t) * 1000000)::bigint from unnest($6::timestamptz[]) t) f`,
          [
            int8s(row.int8s),
            int2s(row.int2s),
            texts(row.texts),
            jsonbs(row.jsons.map((json) => (json === null ? null : JSON.stringify(json)))),
            uuids(row.uuids.map((bytes) => Buffer.from(bytes))),
            timestamptzs(row.micros),
          ],
        )
        const bytes = row.uuids.map((uuid) => Buffer.from(uuid))
        expect(rows[0]).toEqual({
          a: row.int8s,
          b: row.int2s,
          c: row.texts,
          d: row.jsons,
          e: bytes,
          f: row.micros,
        })
      }),
      { numRuns: 50 },
    )
  })
})

describe('details', () => {
  it('have one encoding, whatever the order of their keys', () => {
    expect(encodeDetail({ a: 1, b: { c: 'x', d: [] } })).toEqual(encodeDetail({ b: { d: [], c: 'x' }, a: 1 }))
  })

  it('come back from jsonb with the encoding that they had', async () => {
    const leaf = fc.oneof(
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: 'grapheme' }),
    )
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value')),
        fc.dictionary(fc.string(), tie('value')),
      ),
    }))
    await fc.assert(
      fc.asyncProperty(value, async (any) => {
        const detail = { any: JSON.parse(JSON.stringify(any).replaceAll(String.raw`\u0000`, '')) as string }
        const { rows } = await db.query<{ detail: typeof detail }>('select $1::jsonb as detail', [
          JSON.stringify(detail),
        ])
        expect(encodeDetail(rows[0]?.detail ?? {})).toEqual(encodeDetail(detail))
      }),
    )
  })

  it.each([
    ['a float', { a: 0.5 }],
    ['an unsafe integer', { a: 2 ** 53 }],
    ['not a number', { a: Number.NaN }],
    ['too much', { a: 'x'.repeat(16_384) }],
  ])('refuse %s', (_, detail) => expect(() => encodeDetail(detail)).toThrow(TypeError))

  it('tell values of different types apart', () => {
    const alike = [
      { a: 1 },
      { a: '1' },
      { a: true },
      { a: null },
      { a: [] },
      { a: {} },
      { a: [1] },
      {},
      { a: false },
    ]
    expect(new Set(alike.map((detail) => encodeDetail(detail).toString('hex'))).size).toBe(alike.length)
  })
})

describe('Merkle trees', () => {
  const leavesOf = (count: number) =>
    Array.from({ length: count }, (_, index) => createHash('sha256').update(`${index}`).digest())

  /** RFC 6962 §2.1, recursively, as it is written there. */
  function mth(leaves: Buffer[]): Buffer {
    const [first] = leaves
    if (leaves.length === 1 && first !== undefined) return first
    const split = 2 ** Math.floor(Math.log2(leaves.length - 1))
    const node = Buffer.concat([Buffer.of(1), mth(leaves.slice(0, split)), mth(leaves.slice(split))])
    return createHash('sha256').update(node).digest()
  }

  it('have the root of RFC 6962 at every size', () => {
    for (let count = 1; count <= 70; count += 1) {
      expect(merkleRoot(leavesOf(count))).toEqual(count === 1 ? leavesOf(1)[0] : mth(leavesOf(count)))
    }
  })

  it('prove each leaf at its own place and at no other', () => {
    for (let count = 1; count <= 20; count += 1) {
      const leaves = leavesOf(count)
      const root = merkleRoot(leaves)
      for (const [index, leaf] of leaves.entries()) {
        const path = inclusionPath(leaves, index)
        for (let place = -1; place <= count; place += 1) {
          const proves = rootOfPath(leaf, place, count, path)?.equals(root) ?? false
          expect(proves).toBe(place === index)
        }
        expect(rootOfPath(leaf, index, count, [...path, root])).toBeNull()
      }
    }
  })

  it('begin at the genesis that the migration wrote', async () => {
    const { rows } = await db.query<{ hash: Buffer }>('select hash from ledger.chain_head')
    expect(rows[0]?.hash).toEqual(GENESIS_HASH)
  })
})
