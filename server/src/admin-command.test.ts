import { afterEach, describe, expect, test, vi } from 'vitest'
import { loadConfig } from '#config'
import { runningApp } from '#test/running-app'
import { adminCommand } from './admin-command.ts'
import { CommandError } from './command-line.ts'

const app = await runningApp()
const { ownerDb, db, url } = app.database
const config = loadConfig({ DATABASE_URL: url, SECRET_KEY: Buffer.alloc(32, 7).toString('base64url') })
const now = new Date('2026-11-22T12:00:00Z')

const said: string[] = []
vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line))
afterEach(() => said.splice(0))
const admin = (...args: string[]) => adminCommand(config, args, () => now)

const signedUp = await app.http.inject({
  method: 'POST',
  url: '/api/v1/auth/sign-up',
  payload: {
    email: 'ania@example.com',
    password: 'kobyla ma maly bok 77',
    name: 'Anna Nowak',
    handle: 'ania',
    baseCurrency: 'PLN',
  },
})
const cookie = signedUp.cookies.map(({ name, value }) => `${name}=${value}`).join('; ')
const backOffice = async () =>
  (await app.http.inject({ url: '/api/v1/admin/jobs', headers: { cookie } })).statusCode
const roleChanges = async () =>
  (
    await ownerDb.query<{ customer_id: string; detail: unknown; ip: string; at: Date }>(
      `select customer_id, detail, ip, at from identity.audit_log where act = 'role_changed' order by id`,
    )
  ).rows

test.each([
  [[]],
  [['grant']],
  [['grant', 'ania', 'edek']],
  [['list', 'ania']],
  [['promote', 'ania']],
  [['grant', '--all']],
])('admin %j is refused in a sentence, before any database is looked for', async (args) => {
  const nowhere = loadConfig({ KANTOR_DATA_DIR: '/nowhere/kantor' })
  await expect(adminCommand(nowhere, args, () => now)).rejects.toBeInstanceOf(CommandError)
})

describe('the first admin', () => {
  test('is there as soon as the command has named one, in the session that they have', async () => {
    await admin('list')
    expect(said).toEqual(['There is no admin yet.'])
    expect(await backOffice()).toBe(403)
    expect(await admin('grant', '@Ania')).toBe(0)
    expect(said).toContain('@ania is now an admin.')
    expect(await backOffice()).toBe(200)
    const me = await app.http.inject({ url: '/api/v1/me', headers: { cookie } })
    expect(me.json()).toMatchObject({ role: 'admin' })
    expect(await roleChanges()).toEqual([
      { customer_id: me.json().id, ip: 'command line', at: now, detail: { from: 'customer', to: 'admin' } },
    ])
  })

  test('named again changes nothing and writes nothing down', async () => {
    await admin('grant', 'ANIA@example.com')
    await admin('list')
    expect(said).toEqual(['@ania is an admin already.', 'admin @ania ania@example.com'])
    expect(await roleChanges()).toHaveLength(1)
  })

  test('loses it at once', async () => {
    await admin('revoke', 'ania')
    expect(said).toEqual(['@ania is now no admin.'])
    expect(await backOffice()).toBe(403)
    expect((await roleChanges()).at(-1)?.detail).toEqual({ from: 'admin', to: 'customer' })
  })
})

test('nobody is made an admin who has not signed up', async () => {
  await expect(admin('grant', 'edek')).rejects.toThrow('Nobody here is called edek')
})

test('the program itself could not make an admin, whatever it was tricked into', async () => {
  await expect(db.query(`update identity.customers set role = 'admin'`)).rejects.toThrow('permission denied')
})
