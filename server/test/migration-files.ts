import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'

export const MIGRATIONS_DIR = join(import.meta.dirname, '../src/db/migrations')

/** All migrations in one text, names included: what the template database is a function of. */
export async function readMigrationFiles(): Promise<string> {
  const names = (await readdir(MIGRATIONS_DIR)).toSorted()
  const texts = await Promise.all(names.map((name) => readFile(join(MIGRATIONS_DIR, name), 'utf8')))
  return names.map((name, index) => `-- ${name}\n${texts[index]}`).join('\n')
}
