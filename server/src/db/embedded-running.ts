import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { DATABASE, SUPERUSER, readPassword } from './embedded-files.ts'

const PORT_LINE = 3
const ANSWER_TIMEOUT_MS = 1_000

/**
 * The address of the embedded server that another Kantor runs on this data directory, so that a command can look
 * at the ledger while the product runs; null when none does. PostgreSQL writes its port into postmaster.pid.
 */
export async function findRunningEmbedded(dataDir: string): Promise<string | null> {
  const directory = resolve(dataDir)
  const lines = await readFile(join(directory, 'postgres/postmaster.pid'), 'utf8').then(
    (text) => text.split('\n'),
    () => [],
  )
  const port = Number(lines[PORT_LINE])
  // The file outlives a server that was killed, so somebody has to answer.
  if (!(port > 0) || !(await answers(port))) return null
  return `postgres://${SUPERUSER}:${await readPassword(directory)}@127.0.0.1:${port}/${DATABASE}`
}

function answers(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const socket = connect(port, '127.0.0.1')
    const end = (answered: boolean) => {
      socket.destroy()
      settle(answered)
    }
    socket.setTimeout(ANSWER_TIMEOUT_MS, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
