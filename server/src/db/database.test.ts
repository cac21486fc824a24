import { expect, test } from 'vitest'
import { OutcomeUnknown, checkDurability, checkRole, meansTryAgain, openDatabase } from '#db'
import { testDatabase } from '#test/harness'

const { db, ownerDb, url } = await testDatabase()
const options = { connectionsMax: 1, applicationName: 'test', random: Math.random }

test('int8, numeric and date arrive without passing through a float or a time zone', async () => {
  const { rows } = await db.query(
    `select 9007199254740993::int8 as whole, array[9007199254740993, null]::int8[] as wholes,
            0.10::numeric as exact, array[0.10]::numeric[] as exacts, date '2024-02-29' as day,
            array[date '2024-02-29'] as days, timestamptz '2024-02-29 12:00:00.123Z' as instant`,
  )
  expect(rows).toEqual([
    {
      whole: 9007199254740993n,
      wholes: [9007199254740993n, null],
      exact: '0.10',
      exacts: ['0.10'],
      day: '2024-02-29',
      days: ['2024-02-29'],
      instant: new Date('2024-02-29T12:00:00.123Z'),
    },
  ])
})

test('bigints go back as they came, alone and in lists', async () => {
  const values = [2n ** 63n - 1n, [-(2n ** 63n), 0n]]
  const { rows } = await db.query('select $1::int8 as one, $2::int8[] as many', values)
  expect(rows).toEqual([{ one: values[0], many: values[1] }])
})

test('statements run as kantor_app, and resetting the session does not lead out of it', async () => {
  const client = await db.connect()
  try {
    for (const statement of ['reset role', 'reset all', 'discard all']) {
      await client.query(statement)
      expect((await client.query('select current_user')).rows).toEqual([{ current_user: 'kantor_app' }])
    }
  } finally {
    client.release(true)
  }
})

test('options in the address do not replace ours', async () => {
  const address = new URL(url)
  address.searchParams.set('options', '-c role=none -c work_mem=5MB')
  const other = openDatabase({ url: address.href, ...options })
  const { rows } = await other.query(`select current_user, current_setting('work_mem') as work_mem`)
  expect(rows).toEqual([{ current_user: 'kantor_app', work_mem: '5MB' }])
  await expect(checkRole(other)).resolves.toBeUndefined()
  await expect(checkRole(ownerDb)).rejects.toThrow('not as kantor_app')
  await other.close()
})

test('a statement that takes too long, or waits too long for a lock, is ended and may be tried again', async () => {
  const hasty = openDatabase({ url, ...options, statementTimeoutMs: 100 })
  const slow = hasty.query('select pg_sleep(5)')
  await expect(slow).rejects.toMatchObject({ code: '57014' })
  await slow.catch((error: unknown) => expect(meansTryAgain(error)).toBe(true))
  await hasty.close()
})

test('a transaction whose ROLLBACK failed too may be tried again if what it failed of may', async () => {
  const refused = await db
    .query(`do $$ begin raise exception 'x' using errcode = '55P03'; end $$`)
    .catch((error: unknown) => error)
  const cut = new Error('Connection terminated')
  expect(meansTryAgain(new AggregateError([refused, cut]))).toBe(true)
  expect(meansTryAgain(new AggregateError([cut, refused]))).toBe(false)
  expect(meansTryAgain(new AggregateError([]))).toBe(false)
})

test('a server that may forget an acknowledged COMMIT is refused', async () => {
  await expect(checkDurability(db)).resolves.toBeUndefined()
  const forgetful = openDatabase({ url, ...options, settings: { synchronous_commit: 'off' } })
  await expect(checkDurability(forgetful)).rejects.toThrow('synchronous_commit off')
  await forgetful.close()
})

test('rows come in by COPY all or none; whose fault it was is told, and the next ones come in again', async () => {
  await ownerDb.query('create table public.copied (one int primary key)')
  await ownerDb.query('grant select, insert on public.copied to kantor_app')
  const held = async () =>
    (await db.query<{ one: number }>('select one from public.copied order by one')).rows
  async function* lines(...chunks: (string | Error | (() => Promise<unknown>))[]): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      if (chunk instanceof Error) throw chunk
      if (typeof chunk === 'function') await chunk()
      else yield Buffer.from(chunk)
    }
  }
  const copy = (chunks: AsyncGenerator<Buffer>) => db.copyIn('copy public.copied from stdin', chunks)
  const all = Array.from({ length: 20_000 }, (_, index) => `${index}\n`).join('')

  await expect(copy(lines('1\n', '2\n1\n'))).rejects.toMatchObject({ code: '23505' })
  await expect(copy(lines('no number\n', all))).rejects.toMatchObject({ code: '22P02' })
  const ours = new Error('ours')
  await expect(copy(lines('1\n', ours))).rejects.toBe(ours)
  await expect(copy(lines(ours))).rejects.toBe(ours)
  // Waits until the connection is gone; the statement may not have arrived yet when the first rows are asked for.
  const cut = () =>
    expect
      .poll(async () => {
        const { rows } = await ownerDb.query(
          `select pg_terminate_backend(pid, 60000) from pg_stat_activity
            where datname = current_database() and query like 'copy public.copied%' and state = 'active'`,
        )
        return rows
      })
      .toEqual([{ pg_terminate_backend: true }])
  await expect(copy(lines('30001\n', cut, all))).rejects.toBeInstanceOf(OutcomeUnknown)
  expect(await held()).toEqual([])

  expect(await copy(lines(all, '30000\n'))).toBe(20_001)
  expect(await copy(lines())).toBe(0)
  expect(await held()).toHaveLength(20_001)
})
