import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A process that a test started. What it says is kept, and no wait for it is longer than its life or its limit. */
export interface TestProcess {
  readonly child: ChildProcess
  /**
   * The newest line that is as wanted, said already or soon.
   * @throws Error with all that it said, when it ends first or takes longer
   */
  line(wanted: (line: string) => boolean, secondsMax: number): Promise<string>
  /**
   * Waits for its end. @returns its exit code, or the signal that ended it
   * @throws Error with all that it said, when it takes longer
   */
  end(secondsMax: number): Promise<number | NodeJS.Signals>
  hasEnded(): boolean
  /** On both its outputs, so far. */
  said(): string
}

/** What has ended may have left its outputs to a process of its own: no longer than this they are waited for. */
const LAST_WORDS_MS = 1_000
const LINES_KEPT_MAX = 20_000

/** Its outputs are ours; its input is nobody's, unless `stdin` says otherwise. Whoever starts it ends it. */
export function startProcess(
  program: string,
  args: readonly string[],
  { stdin = 'ignore', ...options }: Pick<SpawnOptions, 'env' | 'cwd'> & { stdin?: 'ignore' | 'pipe' } = {},
): TestProcess {
  const child = spawn(program, args, { ...options, stdio: [stdin, 'pipe', 'pipe'] })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  let ended: number | NodeJS.Signals | null = null
  const wake = () => waiting.forEach((look) => look())
  const hear = (line: string) => {
    if (lines.push(line) > LINES_KEPT_MAX) lines.shift()
    wake()
  }
  const finish = (how: number | NodeJS.Signals | null) => {
    ended ??= how ?? -1
    wake()
  }
  for (const input of [child.stdout, child.stderr])
    if (input !== null) createInterface({ input }).on('line', hear)
  child.once('error', (error) => {
    hear(error.message)
    if (child.pid === undefined) finish(null)
  })
  child.once('exit', (code, signal) => {
    // By then what lies in the pipes has been read, also where we were kept from reading all that time.
    setTimeout(() => setImmediate(finish, code ?? signal), LAST_WORDS_MS)
  })
  child.once('close', (code, signal) => finish(code ?? signal))

  const said = () => lines.join('\n')
  const until = <Found>(look: () => Found | null, what: string, secondsMax: number) =>
    new Promise<Found>((resolve, reject) => {
      const settle = (then: () => void) => {
        waiting.delete(check)
        clearTimeout(timer)
        then()
      }
      const fail = (why: string) => settle(() => reject(new Error(`${why}:\n${said()}`)))
      const check = () => {
        const found = look()
        if (found !== null) settle(() => resolve(found))
        else if (ended !== null) fail(`the process ended with ${ended} before ${what}`)
      }
      const timer = setTimeout(() => fail(`no ${what} within ${secondsMax} s`), secondsMax * 1000)
      waiting.add(check)
      check()
    })
  return {
    child,
    line: (wanted, secondsMax) =>
      until(() => lines.findLast(wanted) ?? null, 'the line that was wanted', secondsMax),
    end: (secondsMax) => until(() => ended, 'end of the process', secondsMax),
    hasEnded: () => ended !== null,
    said,
  }
}
