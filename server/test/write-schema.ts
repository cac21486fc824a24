import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrate, openDatabase, startEmbedded } from '#db'
import { dumpSchema } from './schema-dump.ts'

// `npm run schema`: migrates an empty database and writes down what came of it.
const file = join(import.meta.dirname, '../src/db/schema.sql')
const log = { info: () => {}, warn: console.warn }
const dataDir = await mkdtemp(join(tmpdir(), 'kantor-schema-'))
const server = await startEmbedded({ dataDir, log })
try {
  await migrate({ url: server.url, log })
  const options = { connectionsMax: 1, applicationName: 'schema', role: null, random: Math.random }
  const database = openDatabase({ url: server.url, ...options })
  await writeFile(file, await dumpSchema(database))
  await database.close()
} finally {
  await server.stop()
  await rm(dataDir, { recursive: true, force: true })
}
console.log(`${file} is written.`)
