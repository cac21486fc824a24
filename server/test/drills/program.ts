import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '#test/real-input/free-port'

/** The real program as a process of its own, on one port through all its lives. */
export interface Program {
  readonly name: string
  /** `http://127.0.0.1:54321` */
  readonly origin: string
  /** Resolves when it says that it is ready. Rejects with what it said when it ends instead. */
  start(): Promise<void>
  /** `kill -9`; resolves when it is gone. */
  kill(): Promise<void>
  /** SIGSTOP: alive, and silent. */
  pause(): void
  resume(): void
  /** SIGTERM, as an orchestrator ends it. @returns its exit code, or the signal that ended it */
  stop(): Promise<number | NodeJS.Signals | null>
  /** Whether it ended without having been asked to. */
  endedByItself(): boolean
}

export interface ProgramOptions {
  readonly name: string
  readonly environment: Readonly<Record<string, string>>
  /** Where its log goes, for whoever has to explain a failure. */
  readonly directory: string
  /** Another script than the program's own. */
  readonly script?: string
}

const MAIN = join(import.meta.dirname, '../../src/main.ts')
const READY_WITHIN_MS = 240_000
const STOP_WITHIN_MS = 60_000
const RUN_WITHIN_MS = 300_000
const LOOK_EVERY_MS = 50
const LOG_CHARS_SHOWN = 2_000

export async function createProgram(options: ProgramOptions): Promise<Program> {
  const { name, environment, directory, script = MAIN } = options
  const port = await freePort()
  const origin = `http://127.0.0.1:${port}`
  const logFile = join(directory, `${name}.log`)
  let child: ChildProcess | null = null
  let wanted = false

  const start = async () => {
    wanted = true
    // The one before, which has ended, is not this one ending by itself.
    child = null
    child = await spawnProgram([script], { ...environment, PORT: `${port}` }, logFile)
    const deadline = Date.now() + READY_WITHIN_MS
    while (!(await isReady(origin))) {
      // Killed while it started: that is for the killer to put right.
      if (!wanted) return void child.kill('SIGKILL')
      if (hasEnded(child)) throw new Error(`${name} ended while it started.\n${await endOf(logFile)}`)
      if (Date.now() > deadline) throw new Error(`${name} is not ready.\n${await endOf(logFile)}`)
      await sleep(LOOK_EVERY_MS)
    }
  }
  const end = async (signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> => {
    wanted = false
    if (child === null || hasEnded(child)) return child?.exitCode ?? null
    const ended = once(child, 'exit')
    child.kill(signal)
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_WITHIN_MS)
    await ended
    clearTimeout(timer)
    return child.exitCode ?? child.signalCode
  }
  return {
    name,
    origin,
    start,
    kill: async () => void (await end('SIGKILL')),
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    stop: () => end('SIGTERM'),
    endedByItself: () => wanted && child !== null && hasEnded(child),
  }
}

/** Runs the program to its end, as `migrate`, `verify` and `export` do. @throws with what it said if it fails */
export async function runProgram(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  directory: string,
): Promise<void> {
  const logFile = join(directory, `${args[0] ?? 'main'}.log`)
  const child = await spawnProgram([MAIN, ...args], environment, logFile)
  const timer = setTimeout(() => child.kill('SIGKILL'), RUN_WITHIN_MS)
  if (!hasEnded(child)) await once(child, 'exit')
  clearTimeout(timer)
  const code = child.exitCode ?? child.signalCode
  if (code !== 0)
    throw new Error(`${args.join(' ') || 'the program'} ended with ${code}.\n${await endOf(logFile)}`)
}

async function spawnProgram(
  command: readonly string[],
  environment: Readonly<Record<string, string>>,
  logFile: string,
): Promise<ChildProcess> {
  const log = await open(logFile, 'a')
  const [program = process.execPath, ...rest] = [...DIE_WITH_PARENT, process.execPath, ...command]
  const child = spawn(program, rest, {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', log.fd, log.fd],
  })
  await log.close()
  return child
}

/** The kernel ends it when this process is gone, kill -9 included; also while it is stopped. */
const SETPRIV = '/usr/bin/setpriv'
const DIE_WITH_PARENT = existsSync(SETPRIV) ? [SETPRIV, '--pdeathsig', 'KILL', '--'] : []

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

async function isReady(origin: string): Promise<boolean> {
  return fetch(`${origin}/health/ready`, { signal: AbortSignal.timeout(1_000) }).then(
    async (reply) => {
      await reply.arrayBuffer()
      return reply.status === 200
    },
    () => false,
  )
}

async function endOf(logFile: string): Promise<string> {
  return (await readFile(logFile, 'utf8')).slice(-LOG_CHARS_SHOWN)
}
