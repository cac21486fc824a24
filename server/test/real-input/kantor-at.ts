import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

const SERVER = join(import.meta.dirname, '../..')
const START_SECONDS_MAX = 90
const CLOCK_SECONDS_MAX = 60
const COMMAND_SECONDS_MAX = 90
const STOP_SECONDS_MAX = 60

export type Environment = Readonly<Record<string, string>>

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The real program in a process of its own, with another moment for its clock. */
export interface KantorAt {
  readonly address: string
  /** What time it is there. */
  now(): Date
  /** From now on it is this moment there. */
  setClock(moment: string): Promise<void>
  /** `main.ts verify` or `export` with the same environment, beside it. */
  run(...args: string[]): Promise<Finished>
  /** Ends it as a machine that loses its power does: kill -9. */
  kill(): Promise<void>
  /** Asks it to end, and waits; everything it logged. @throws when it does not end well */
  stop(): Promise<string>
}

export async function startKantorAt(moment: string, given: Environment): Promise<KantorAt> {
  // Known before the start, since the program checks browsers' origins against its public address.
  const port = await freePort()
  const environment = { ...given, PORT: `${port}`, PUBLIC_URL: `http://127.0.0.1:${port}` }
  const child = startNode([join(SERVER, 'test/start-at.ts'), moment], environment)
  const said = listen(child)
  const address = await said.line((line) => line.startsWith('http://'), START_SECONDS_MAX)
  const offsetSince = async (set: string) => {
    const line = await said.line((text) => text.startsWith(`clock ${set} `), CLOCK_SECONDS_MAX)
    return Number(line.split(' ')[2])
  }
  let offsetMs = await offsetSince(moment)
  return {
    address,
    now: () => new Date(Date.now() + offsetMs),
    async setClock(next) {
      child.stdin.write(`${next}\n`)
      offsetMs = await offsetSince(next)
    },
    run: (...args) => runMain(args, environment),
    async kill() {
      child.kill('SIGKILL')
      await said.end(STOP_SECONDS_MAX)
    },
    async stop() {
      child.kill('SIGTERM')
      const code = await said.end(STOP_SECONDS_MAX)
      if (code !== 0) throw new Error(`Kantor ended with ${code}:\n${said.all()}`)
      return said.all()
    },
  }
}

/** With what the test says, and what any program needs: a developer's settings must not decide it. */
function startNode(args: readonly string[], environment: Environment): ChildProcessWithoutNullStreams {
  const { PATH = '', HOME = '', TMPDIR = '/tmp' } = process.env
  return spawn(process.execPath, args, { env: { PATH, HOME, TMPDIR, ...environment } })
}

/** What a process says, line by line. */
function listen(child: ChildProcessWithoutNullStreams) {
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const wake = () => waiting.forEach((look) => look())
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      wake()
    })
  }
  child.once('exit', wake)
  const ended = () => child.exitCode !== null || child.signalCode !== null
  const all = () => lines.join('\n')
  const until = <Found>(look: () => Found | undefined, what: string, seconds: number) =>
    new Promise<Found>((resolve, reject) => {
      const settle = (then: () => void) => {
        waiting.delete(check)
        clearTimeout(timer)
        then()
      }
      const check = () => {
        const found = look()
        if (found !== undefined) settle(() => resolve(found))
        else if (ended()) settle(() => reject(new Error(`ended before ${what}:\n${all()}`)))
      }
      const late = () => settle(() => reject(new Error(`no ${what} in ${seconds} s:\n${all()}`)))
      const timer = setTimeout(late, seconds * 1000)
      waiting.add(check)
      check()
    })
  return {
    all,
    line: (wanted: (line: string) => boolean, seconds: number) =>
      until(() => lines.findLast(wanted), 'line as wanted', seconds),
    end: (seconds: number) =>
      until(() => (ended() ? (child.exitCode ?? child.signalCode ?? -1) : undefined), 'end', seconds),
  }
}

/** `main.ts verify` or `export` in a process of its own. */
export function runMain(args: readonly string[], environment: Environment): Promise<Finished> {
  const child = startNode([join(SERVER, 'src/main.ts'), ...args], environment)
  const timer = setTimeout(() => child.kill('SIGKILL'), COMMAND_SECONDS_MAX * 1000)
  const output = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk) => (output.stdout += String(chunk)))
  child.stderr.on('data', (chunk) => (output.stderr += String(chunk)))
  return new Promise<Finished>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, ...output }))
  }).finally(() => clearTimeout(timer))
}

const LEFT_SECONDS_MAX = 30

/** Command lines of processes that name this, once those that are just ending have ended. */
export async function processesNaming(text: string): Promise<string[]> {
  for (let waited = 0; ; waited += 0.1) {
    const found = commandLines().filter((line) => line.includes(text))
    if (found.length === 0 || waited >= LEFT_SECONDS_MAX) return found
    await sleep(100)
  }
}

function commandLines(): string[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      return [readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ')]
    } catch {
      // It ended while we looked.
      return []
    }
  })
}
