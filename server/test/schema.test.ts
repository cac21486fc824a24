import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { testDatabase } from './harness.ts'
import { dumpSchema } from './schema-dump.ts'

const { ownerDb } = await testDatabase()

test('schema.sql shows what the migrations make (else: npm run schema)', async () => {
  const written = await readFile(join(import.meta.dirname, '../src/db/schema.sql'), 'utf8')
  expect(await dumpSchema(ownerDb)).toBe(written)
})
