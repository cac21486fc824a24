import { expect, test } from 'vitest'
import { testDatabase } from '#test/harness'

const { db, ownerDb } = await testDatabase()

const OURS = `nspname !~ '^pg_' and nspname not in ('information_schema', 'graphile_worker')`

test('kantor_app owns nothing and can create nothing', async () => {
  const owned = await ownerDb.query(
    `select relname from pg_class where relowner = 'kantor_app'::regrole
      union all select proname from pg_proc where proowner = 'kantor_app'::regrole
      union all select nspname from pg_namespace where nspowner = 'kantor_app'::regrole
         or has_schema_privilege('kantor_app', oid, 'create') and nspname !~ '^pg_'`,
  )
  expect(owned.rows).toEqual([])
  for (const statement of [
    'create schema mine',
    'create table public.mine (id int)',
    'create table db.mine (id int)',
  ]) {
    await expect(db.query(statement)).rejects.toMatchObject({ code: '42501' })
  }
})

test('kantor_app may truncate no table, and has no superuser’s power', async () => {
  const { rows } = await ownerDb.query(
    `select relname, privilege_type from pg_class join pg_namespace n on n.oid = relnamespace
      cross join lateral aclexplode(relacl)
      where ${OURS} and grantee in (0, 'kantor_app'::regrole)
        and privilege_type not in ('SELECT', 'INSERT', 'UPDATE', 'DELETE', 'USAGE')`,
  )
  expect(rows).toEqual([])
  const role = await ownerDb.query(
    `select rolsuper, rolcanlogin, rolcreaterole, rolcreatedb, rolbypassrls from pg_roles where rolname = 'kantor_app'`,
  )
  expect(Object.values(role.rows[0] ?? {})).toEqual([false, false, false, false, false])
})

test('nothing of ours is open to everybody', async () => {
  const { rows } = await ownerDb.query(
    `select relname from pg_class join pg_namespace n on n.oid = relnamespace cross join lateral aclexplode(relacl)
      where ${OURS} and grantee = 0`,
  )
  expect(rows).toEqual([])
})

test.each(['entries', 'journals', 'blocks'])(
  'no statement of the application can alter ledger.%s',
  async (table) => {
    await expect(db.query(`delete from ledger.${table}`)).rejects.toMatchObject({ code: '42501' })
    await expect(db.query(`truncate ledger.${table}`)).rejects.toMatchObject({ code: '42501' })
    const { rows } = await ownerDb.query(
      `select attname from pg_attribute where attrelid = $1::text::regclass and attnum > 0
        and has_column_privilege('kantor_app', attrelid, attnum, 'update')`,
      [`ledger.${table}`],
    )
    expect(rows).toEqual([])
  },
)

test('what was migrated cannot be unsaid by the application', async () => {
  await expect(db.query('delete from db.migrations')).rejects.toMatchObject({ code: '42501' })
  expect((await db.query('select number from db.migrations order by number limit 1')).rows).toEqual([
    { number: 1 },
  ])
})
