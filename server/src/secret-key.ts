import { randomBytes, randomUUID } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const BYTES = 32

/**
 * The installation's secret in the embedded mode: made once, kept beside the data, readable by its owner.
 * Linked into place, so that it is never seen half written, and of two first starts one wins for both.
 */
export async function readOrCreateSecretKey(dataDir: string): Promise<Buffer> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const file = join(dataDir, 'secret-key')
  const aside = `${file}.${randomUUID()}`
  await writeFile(aside, `${randomBytes(BYTES).toString('base64url')}\n`, { mode: 0o600 })
  await link(aside, file).catch((error: unknown) => {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
  })
  await rm(aside)
  const key = Buffer.from((await readFile(file, 'utf8')).trim(), 'base64url')
  if (key.length < BYTES) throw new Error(`${file} does not hold a key. Restore it from the backup.`)
  return key
}
