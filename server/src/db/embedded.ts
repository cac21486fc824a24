import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  CLEAN_ENVIRONMENT,
  DATABASE,
  SUPERUSER,
  createCluster,
  findBinaries,
  giveTo,
  letThrough,
  prepareDataDir,
  readPassword,
  refuseOtherVersion,
} from './embedded-files.ts'
import { chooseIdentity, type Identity } from './embedded-identity.ts'
import { lockDirectory } from './embedded-lock.ts'
import type { DbLog } from './log.ts'

export interface EmbeddedServer {
  /** Of the superuser, on loopback, with its password: never to be logged. */
  url: string
  stop(): Promise<void>
}

interface Launch {
  postgres: string
  identity: Identity
  cluster: string
  logFile: string
  log: DbLog
}

const START_TIMEOUT_MS = 5 * 60_000
const STOP_TIMEOUT_MS = 30_000
const LOG_BYTES_MAX = 10 * 1024 * 1024
const STARTS_MAX = 5
const RESTARTS_PER_MINUTE_MAX = 10

// Given on every start, so that an upgrade of Kantor changes them. The first three keep an acknowledged
// COMMIT through a power cut. Statements are logged without their values, which are people's.
const SETTINGS = [
  'fsync=on',
  'synchronous_commit=on',
  'full_page_writes=on',
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=100',
  'shared_buffers=128MB',
  'wal_compression=on',
  'jit=off',
  'timezone=UTC',
  'log_timezone=UTC',
  'log_checkpoints=off',
  'log_error_verbosity=terse',
  'log_min_error_statement=panic',
]

/** Starts the PostgreSQL that comes with Kantor, creating its data on the first start. One per directory. */
export async function startEmbedded(options: { dataDir: string; log: DbLog }): Promise<EmbeddedServer> {
  const dataDir = resolve(options.dataDir)
  const cluster = join(dataDir, 'postgres')
  await prepareDataDir(dataDir)
  const { unlock } = await lockDirectory(dataDir)
  try {
    const binaries = await findBinaries()
    const identity = await chooseIdentity(binaries.postgres)
    await letThrough(dataDir, identity)
    if (!existsSync(cluster)) await createCluster(dataDir, cluster, binaries, identity)
    await refuseOtherVersion(cluster, identity.version)
    await giveTo(identity, cluster)
    await settlePredecessor(cluster)
    const logFile = join(dataDir, 'postgres.log')
    await rotate(logFile)
    const launch = { postgres: binaries.postgres, identity, cluster, logFile, log: options.log }
    const { port, stop } = await startSupervised(launch)
    const password = await readPassword(dataDir)
    return {
      url: `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${DATABASE}`,
      stop: async () => {
        await stop()
        await unlock()
      },
    }
  } catch (error) {
    await unlock()
    throw error
  }
}

/** Keeps one postmaster alive on one port: should it be killed, the pools find it again. */
async function startSupervised(launch: Launch): Promise<{ port: number; stop: () => Promise<void> }> {
  const first = await startOnFreePort(launch)
  const { port } = first
  let child = first.child
  let stopping = false
  const restarts: number[] = []

  const restart = async (): Promise<void> => {
    const now = Date.now()
    while (restarts[0] !== undefined && restarts[0] < now - 60_000) restarts.shift()
    restarts.push(now)
    launch.log.warn(
      { restarts: restarts.length },
      'the embedded PostgreSQL ended by itself; starting it again',
    )
    if (restarts.length > RESTARTS_PER_MINUTE_MAX) throw new Error('The embedded PostgreSQL keeps ending.')
    await sleep(100 * restarts.length)
    if (stopping) return
    child = await startOnce(launch, port)
    watch()
  }
  const watch = () => {
    child.once('exit', () => {
      if (!stopping) void restart().catch((error: unknown) => restartFailed(launch.log, error))
    })
  }
  watch()
  return {
    port,
    stop: async () => {
      stopping = true
      await stopServer(child)
    },
  }
}

/** Without its database this process is of no use; its own supervisor, or a person, has to look. */
function restartFailed(log: DbLog, error: unknown): void {
  log.warn({ err: error }, 'the embedded PostgreSQL cannot be started again')
  process.kill(process.pid, 'SIGTERM')
}

async function startOnFreePort(launch: Launch): Promise<{ child: ChildProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort()
    try {
      return { child: await startOnce(launch, port), port }
    } catch (error) {
      // Another program may take the port between our look and PostgreSQL's; the backends of a killed
      // postmaster may need a moment to notice.
      const passing = error instanceof Error && /could not bind|shared memory block/.test(error.message)
      if (!passing || attempt === STARTS_MAX) throw error
      await sleep(200 * attempt)
    }
  }
}

async function startOnce(launch: Launch, port: number): Promise<ChildProcess> {
  const settings = [...SETTINGS, `port=${port}`].flatMap((setting) => ['-c', setting])
  const command = [...launch.identity.prefix, launch.postgres, '-D', launch.cluster, ...settings]
  const logBytes = await sizeOf(launch.logFile)
  const output = await open(launch.logFile, 'a', 0o600)
  const child = spawn(command[0] ?? launch.postgres, command.slice(1), {
    cwd: '/',
    env: CLEAN_ENVIRONMENT,
    // A group of its own: Ctrl-C in the terminal reaches Kantor, which stops PostgreSQL after its requests.
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  })
  child.unref()
  await output.close()
  const deadline = Date.now() + START_TIMEOUT_MS
  while (!(await isReady(launch.cluster, child.pid))) {
    if (child.exitCode !== null || child.signalCode !== null) {
      const said = (await readFile(launch.logFile)).subarray(logBytes).toString('utf8').trim()
      throw new Error(`The embedded PostgreSQL did not start.\n${said.slice(-2000)}`)
    }
    if (Date.now() > deadline) {
      child.kill('SIGQUIT')
      throw new Error(`The embedded PostgreSQL was not ready after ${START_TIMEOUT_MS / 1000} s.`)
    }
    await sleep(10)
  }
  return child
}

/** The eighth line of this file is PostgreSQL's own word on its state; pg_ctl reads the same. */
async function isReady(cluster: string, pid: number | undefined): Promise<boolean> {
  const lines = (await readFile(join(cluster, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  return lines[0] === `${pid}` && lines[7]?.trim() === 'ready'
}

async function stopServer(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.ref()
  const ended = once(child, 'exit')
  child.kill('SIGINT')
  const timer = setTimeout(() => child.kill('SIGQUIT'), STOP_TIMEOUT_MS)
  await ended
  clearTimeout(timer)
}

/**
 * We hold the directory's lock, so a server that is still there lost its Kantor and is shutting down: it is
 * waited for. A number in the file that by now is somebody else's would keep PostgreSQL from starting.
 */
async function settlePredecessor(cluster: string): Promise<void> {
  const file = join(cluster, 'postmaster.pid')
  const deadline = Date.now() + STOP_TIMEOUT_MS
  for (;;) {
    const pid = (await readFile(file, 'utf8').catch(() => '')).split('\n')[0] ?? ''
    const command = pid === '' ? '' : await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
    if (command === '') return
    if (!command.includes(cluster)) return rm(file)
    if (Date.now() > deadline)
      throw new Error(`A PostgreSQL (process ${pid}) still runs on ${cluster}. Stop it.`)
    await sleep(50)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No free port on 127.0.0.1.')
  return address.port
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}

async function rotate(logFile: string): Promise<void> {
  if ((await sizeOf(logFile)) > LOG_BYTES_MAX) await rename(logFile, `${logFile}.1`)
}
