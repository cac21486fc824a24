import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * For a program that must know its port before it starts, or keep it while it is killed and started again. Below the
 * ports that the system gives by itself (32,768 and up): one of those may be given to somebody else in between.
 */
const FIRST = 20_000
const LAST = 31_999
const TRIES_MAX = 50

export async function freePort(): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    const port = randomInt(FIRST, LAST + 1)
    if (await isFree(port)) return port
    if (tries === TRIES_MAX) throw new Error(`no free port was found in ${TRIES_MAX} tries`)
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, '127.0.0.1')
  try {
    await once(server, 'listening')
  } catch {
    return false
  }
  server.close()
  await once(server, 'close')
  return true
}
