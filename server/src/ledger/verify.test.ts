import type { Queryable } from '#db'
import { checkProof, headOf, heightOf, proveJournal, runVerify, verifyLedger } from '#ledger'
import { auditLedger } from '#test/auditor'
import { testDatabase } from '#test/harness'
import { available, deposit, posted, testLedger, transfer, USD } from '#test/test-ledger'
import { beforeAll, describe, expect, it } from 'vitest'

const database = await testDatabase()
const { db, ownerDb } = database
const ledger = await testLedger(database)

/** A journal with every optional column filled, in a block of its own; and neighbours before and behind. */
beforeAll(async () => {
  const [alice, bob] = [available(1_000), available(1_001)]
  await Promise.all([1n, 2n, 3n].map((amount) => ledger.post(deposit(`d${amount}`, alice, amount * 100n))))
  await ledger.post(deposit('usd', available(1_000, USD), 5n))
  const detail = { note: 'rent', lines: [1, true, null, { deep: 'yes' }] }
  const original = posted(
    await ledger.post(
      transfer('t', alice, bob, 5n, { detail, effectiveAt: new Date(1e12), consumes: 'quote:1' }),
    ),
  )
  const back = { ...transfer('r', bob, alice, 5n), kind: 'reversal' as const, reverses: original.id }
  posted(await ledger.post({ ...back, detail, effectiveAt: new Date(1e12) }))
  posted(await ledger.post(transfer('last', alice, bob, 1n)))
})

/** What verification says when this has been done behind the ledger's back; then it is undone. */
async function tampered(
  ...statements: string[]
): Promise<{ height: bigint | null; what: string } | null | 'refused'> {
  const undone = new Error('undo')
  let found: { height: bigint | null; what: string } | null | 'refused' = null
  await ownerDb
    .transaction(async (tx) => {
      await tx.query(`set local session_replication_role = replica`)
      try {
        for (const statement of statements) await tx.query(statement)
      } catch (error) {
        if (!isRefusal(error)) throw error
        found = 'refused'
        throw undone
      }
      found = (await verifyLedger(tx)).firstBreak
      throw undone
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error
    })
  return found
}

/** A value that a CHECK or the primary key refuses even to a superuser without triggers. */
function isRefusal(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return ['23514', '23505', '23502'].includes(code)
}

/** Another value of the same type, also for null. */
const CHANGED: Readonly<Record<string, (column: string) => string>> = {
  int2: (column) => `coalesce(${column}, 0) + 1`,
  int4: (column) => `coalesce(${column}, 0) + 1000`,
  // Below zero for the floor: above it, its CHECK refuses.
  int8: (column) => (column === 'floor' ? '-1000' : `coalesce(${column}, 0) + 1000`),
  _int8: (column) => `${column}[:2] || (${column}[3] + 1) || ${column}[4:]`,
  text: (column) => `coalesce(${column}, '') || 'x'`,
  bool: (column) => `not ${column}`,
  uuid: (column) => `(translate(${column}::text, '0123456789abcdef', '123456789abcdef0'))::uuid`,
  bytea: (column) => `set_byte(${column}, 31, 255 - get_byte(${column}, 31))`,
  timestamptz: (column) => `coalesce(${column}, now()) + interval '1 microsecond'`,
  jsonb: (column) => `coalesce(${column}, '{}') || '{"planted": 1}'`,
}

interface Column {
  table: string
  column: string
  type: string
}

/** From the catalogue, so that a column that is added later cannot escape. */
async function columnsOf(q: Queryable): Promise<Column[]> {
  const { rows } = await q.query<Column>(
    `select relname as table, attname as column, typname as type
     from pg_attribute join pg_class on pg_class.oid = attrelid join pg_type on pg_type.oid = atttypid
     where relnamespace = 'ledger'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
     order by relname, attnum`,
  )
  return rows
}

// An asset's code and name may change, and it may be frozen and thawed; its id and scale never.
const MAY_CHANGE = new Set(['assets.code', 'assets.name', 'assets.frozen_at', 'assets.kind'])
const columns = (await columnsOf(db)).filter(({ table, column }) => !MAY_CHANGE.has(`${table}.${column}`))

/** Which row is changed, and at which height that must be found. */
const ROWS: Readonly<Record<string, { where: string; height: string | null }>> = {
  journals: { where: `kind = 12`, height: `select seq >> 12 from ledger.journals where kind = 12` },
  entries: {
    where: `(account_id, seq) in (select postings[1], seq from ledger.journals where kind = 12)`,
    height: `select seq >> 12 from ledger.journals where kind = 12`,
  },
  blocks: {
    where: `height = (select seq >> 12 from ledger.journals where kind = 12)`,
    height: `select seq >> 12 from ledger.journals where kind = 12`,
  },
  accounts: { where: `id = ${available(1_001)}`, height: `select max(height) from ledger.blocks` },
  chain_head: { where: 'true', height: 'select max(height) from ledger.blocks' },
  assets: { where: 'id = 978', height: null },
}

describe('verification', () => {
  it('finds nothing in a ledger that nobody touched, and agrees with the auditor', async () => {
    const report = await runVerify({ url: database.url, applicationName: 'test-verify' })
    expect(report).toMatchObject({ firstBreak: null, journals: 7n, entries: 14n, accounts: 5n })
    expect(report.head.height).toBe((await headOf(db)).height)
    expect(await auditLedger(db)).toEqual([])
  })

  it('covers every table of the schema', () => {
    expect([...new Set(columns.map(({ table }) => table))]).toEqual(Object.keys(ROWS).toSorted())
    expect(columns.length).toBeGreaterThan(30)
  })

  it.each(columns.map((column) => [`${column.table}.${column.column}`, column] as const))(
    'finds a changed %s',
    async (name, { table, column, type }) => {
      const { where, height } = ROWS[table] ?? { where: 'false', height: null }
      const change = CHANGED[type]?.(column)
      const found = await tampered(`update ledger.${table} set ${column} = ${change} where ${where}`)
      if (found === 'refused') return expect(name).toBe('chain_head.singleton')
      expect(found).not.toBeNull()
      if (height === null || column === 'seq' || column === 'height') return
      const { rows } = await db.query<{ height: bigint }>(`select (${height}) as height`)
      expect(found?.height).toBe(rows[0]?.height)
    },
  )

  it.each([
    ['a removed journal', 'delete from ledger.journals where kind = 12'],
    [
      'the last journal removed',
      'delete from ledger.journals where seq = (select max(seq) from ledger.journals)',
    ],
    ['a removed entry', `delete from ledger.entries where account_id = ${available(1_000)} and version = 2`],
    [
      'the last entry removed',
      `delete from ledger.entries where account_id = ${available(1_001)} and version = 3`,
    ],
    ['a removed block', 'delete from ledger.blocks where height = 2'],
    [
      'the last block removed',
      'delete from ledger.blocks where height = (select max(height) from ledger.blocks)',
    ],
    ['a removed account', `delete from ledger.accounts where id = ${available(1_001)}`],
    ['a removed asset', 'delete from ledger.assets where id = 978'],
    ['a removed head', 'delete from ledger.chain_head'],
    [
      'a planted journal',
      `insert into ledger.journals select seq + 1, scope, recorded_at, effective_at, null, gen_random_uuid(),
         request_hash, 3, postings, null, null from ledger.journals where kind = 12`,
    ],
    [
      'a planted journal behind the last block',
      `insert into ledger.journals select seq + 40960000, scope, recorded_at, effective_at, null, gen_random_uuid(),
         request_hash, 3, postings, null, null from ledger.journals where kind = 12`,
    ],
    [
      'a planted entry',
      `insert into ledger.entries select account_id, 99, seq, amount, balance_after, kind from ledger.entries limit 1`,
    ],
    [
      'a planted block',
      `insert into ledger.blocks select height + 1000, sealed_at, journal_count, previous_hash, journals_root, hash
         from ledger.blocks limit 1`,
    ],
    ['a planted account', `insert into ledger.accounts values (${available(7_777)}, 5, 0, 0)`],
  ])('finds %s', async (_, statement) => {
    expect(await tampered(statement)).toMatchObject({ what: expect.any(String) })
  })

  it('finds money that was made by changing journal, entry and account together', async () => {
    const found = await tampered(
      `update ledger.journals set postings[3] = postings[3] + 1 where kind = 12`,
      `update ledger.entries set amount = amount - 1, balance_after = balance_after - 1
         where seq = (select seq from ledger.journals where kind = 12) and amount < 0`,
    )
    expect(found).toMatchObject({ what: expect.any(String) })
  })

  it('finds a chain that was rewritten as a whole, given a head that was noted before', async () => {
    const noted = { height: 2n, hash: '00'.repeat(32) }
    const { firstBreak } = await db.snapshot((q) => verifyLedger(q, { expectedHead: noted }))
    expect(firstBreak).toEqual({ height: 2n, what: 'the head that was noted earlier is not in the chain' })
    const { rows } = await db.query<{ hash: Buffer }>('select hash from ledger.blocks where height = 2')
    const right = { height: 2n, hash: rows[0]?.hash.toString('hex') ?? '' }
    expect((await db.snapshot((q) => verifyLedger(q, { expectedHead: right }))).firstBreak).toBeNull()
  })

  it('says how far it is', async () => {
    const seen: bigint[] = []
    await db.snapshot((q) => verifyLedger(q, { onProgress: ({ done }) => seen.push(done) }))
    expect(seen.at(-1)).toBe((await headOf(db)).height)
  })
})

describe('append-only', () => {
  it.each(['journals', 'entries', 'blocks'])('refuses the application any change of %s', async (table) => {
    const column = table === 'blocks' ? 'sealed_at' : 'kind'
    for (const statement of [
      `update ledger.${table} set ${column} = ${column}`,
      `delete from ledger.${table}`,
      `truncate ledger.${table}`,
    ]) {
      await expect(db.query(statement), statement).rejects.toThrow(/permission denied/)
      await expect(ownerDb.query(statement), statement).rejects.toThrow(/append-only/)
    }
  })

  it.each([
    'update ledger.accounts set floor = -1000',
    'update ledger.accounts set id = 1',
    'delete from ledger.accounts',
    'delete from ledger.chain_head',
    `insert into ledger.chain_head (height, last_recorded_at, hash) values (0, now(), '')`,
    'update ledger.assets set scale = 3',
    'update ledger.assets set id = 1',
    'delete from ledger.assets',
    'alter table ledger.entries disable trigger all',
    'set session_replication_role = replica',
  ])('refuses the application: %s', async (statement) => {
    await expect(db.query(statement)).rejects.toThrow(/permission denied|must be owner/)
  })

  it.each([
    ['delete from ledger.accounts', /never removed/],
    ['delete from ledger.assets', /never removed/],
    ['delete from ledger.chain_head', /one chain head/],
    ['update ledger.assets set scale = scale + 1 where id = 978', /never change/],
  ])('refuses even the owner: %s', async (statement, says) => {
    await expect(ownerDb.query(statement)).rejects.toThrow(says)
  })

  it('keeps a customer above zero even if the decision were wrong', async () => {
    await expect(ownerDb.query('update ledger.accounts set balance = -1 where floor = 0')).rejects.toThrow(
      /accounts_floor/,
    )
  })
})

describe('an inclusion proof', () => {
  const seqs = async () =>
    (await db.query<{ seq: bigint }>('select seq from ledger.journals order by seq')).rows.map(
      ({ seq }) => seq,
    )

  it('shows every journal to be in its block', async () => {
    for (const seq of await seqs()) {
      const proof = await proveJournal(db, seq)
      expect(proof?.block.height).toBe(heightOf(seq))
      expect(proof === null ? false : checkProof(proof)).toBe(true)
    }
  })

  it('shows nothing once a byte of it is changed', async () => {
    const proof = await proveJournal(db, (await seqs())[1] ?? 0n)
    if (proof === null) throw new Error('no proof')
    const flipped = (bytes: Buffer) =>
      Buffer.from(bytes.map((byte, index) => (index === 9 ? byte ^ 1 : byte)))
    expect(checkProof({ ...proof, journal: flipped(proof.journal) })).toBe(false)
    expect(checkProof({ ...proof, path: proof.path.map(flipped) })).toBe(proof.path.length === 0)
    expect(checkProof({ ...proof, position: proof.position + 1 })).toBe(false)
    expect(checkProof({ ...proof, blockHash: flipped(proof.blockHash) })).toBe(false)
    expect(checkProof({ ...proof, block: { ...proof.block, height: 99n } })).toBe(false)
  })

  it('does not exist for a journal that does not', async () => {
    expect(await proveJournal(db, 4096n * 9_999n)).toBeNull()
  })
})
