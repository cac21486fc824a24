import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { migrate, openDatabase } from '#db'
import type { Database } from '#db'
import { emptyDatabase } from '#test/harness'
import { MIGRATIONS_DIR } from '#test/migration-files'
import { readPositions } from './position-store.ts'

const log = { info: () => {}, warn: () => {} }

/** A database as it was before migration 0050. */
async function before(): Promise<{ url: string; owner: Database }> {
  const url = await emptyDatabase()
  const migrationsDir = await mkdtemp(join(tmpdir(), 'kantor-migrations-'))
  for (const name of await readdir(MIGRATIONS_DIR))
    if (name < '0050') await cp(join(MIGRATIONS_DIR, name), join(migrationsDir, name))
  await migrate({ url, log, migrationsDir })
  const owner = openDatabase({
    url,
    connectionsMax: 1,
    applicationName: 'test',
    role: null,
    random: Math.random,
  })
  onTestFinished(async () => {
    await owner.close()
    await rm(migrationsDir, { recursive: true })
  })
  return { url, owner }
}

test('a position keeps the costs of both methods to the last digit, and what was unknown', async () => {
  const { url, owner } = await before()
  await owner.query(
    `insert into trading.positions (wallet_id, instrument_id, currency_id, base_currency, quantity, last_lot)
     values (1000, 100001, 840, 'EUR', 9007199254740993, 2), (1001, 100001, 840, null, 0, 1)`,
  )
  await owner.query(
    `insert into trading.position_costs
     values (1000, 100001, 'fifo', 9007199254740995, 2, 3, 4, -5, 6, -7, -8, 9),
            (1000, 100001, 'average', 11, 12, 13, 14, 15, 16, 17, 18, 19),
            (1001, 100001, 'average', 0, 0, null, null, 21, 22, null, null, null),
            (1001, 100001, 'fifo', 0, 0, 0, 0, 23, 24, null, null, null)`,
  )
  await migrate({ url, log })
  expect(await readPositions(owner, 1000n)).toMatchObject([
    {
      quantity: 9007199254740993n,
      lastLot: 2,
      fifo: {
        held: { costMinor: 9007199254740995n, feeMinor: 2n, base: { costMinor: 3n, feeMinor: 4n } },
        realised: {
          priceMinor: -5n,
          feesMinor: 6n,
          base: { priceMinor: -7n, currencyMinor: -8n, feesMinor: 9n },
        },
      },
      average: {
        held: { costMinor: 11n, feeMinor: 12n, base: { costMinor: 13n, feeMinor: 14n } },
        realised: {
          priceMinor: 15n,
          feesMinor: 16n,
          base: { priceMinor: 17n, currencyMinor: 18n, feesMinor: 19n },
        },
      },
    },
  ])
  expect(await readPositions(owner, 1001n)).toMatchObject([
    {
      quantity: 0n,
      fifo: {
        held: { costMinor: 0n, feeMinor: 0n, base: { costMinor: 0n, feeMinor: 0n } },
        realised: { priceMinor: 23n, feesMinor: 24n, base: null },
      },
      average: {
        held: { costMinor: 0n, feeMinor: 0n, base: null },
        realised: { priceMinor: 21n, feesMinor: 22n, base: null },
      },
    },
  ])
})

test('a position without its costs stops the migration, and nothing is lost', async () => {
  const { url, owner } = await before()
  await owner.query(
    `insert into trading.positions (wallet_id, instrument_id, currency_id, quantity) values (1000, 100001, 840, 5)`,
  )
  await owner.query(
    `insert into trading.position_costs values (1000, 100001, 'fifo', 1, 1, null, null, 0, 0, null, null, null)`,
  )
  await expect(migrate({ url, log })).rejects.toThrow('0050-trading-position-costs failed')
  const { rows } = await owner.query('select method, cost_minor from trading.position_costs')
  expect(rows).toEqual([{ method: 'fifo', cost_minor: 1n }])
})
