import { setTimeout as sleep } from 'node:timers/promises'
import { ask, codeOf, meansAskAgain, type Answer } from './ask.ts'
import type { Answered } from './answer-log.ts'
import type { Balancer } from './balancer.ts'
import type { Command } from './commands.ts'

/** What became of one command, as its caller saw it. */
export interface Invocation {
  readonly command: Command
  /** `unknown` until there is an answer: a cut or a time-out is never called a failure. */
  outcome: 'unknown' | 'ok' | 'refused'
  /** Of what was acknowledged: the operation's, or the order's. */
  id: string | null
  /** Its whole body, which a retry has to repeat. */
  answered: string
  /** The problem's code, of what was refused. */
  code: string | null
  /**
   * Some attempt went unanswered. A refusal after that says nothing of the first try, which may still be on its way in
   * a process that sleeps: so it is asked again when all is quiet.
   */
  unanswered: boolean
}

export interface Callers {
  readonly balancer: Balancer
  /** Every sentence that should not be. */
  readonly wrong: (sentence: string) => void
  /** When callers stop asking again: the drill's end comes first. */
  readonly patience: AbortSignal
}

const ATTEMPTS_MAX = 200
const PAUSE_FIRST_MS = 50
const PAUSE_MAX_MS = 1_000

export function invocationOf(command: Command): Invocation {
  return { command, outcome: 'unknown', id: null, answered: '', code: null, unanswered: false }
}

/** Asks until there is an answer, each time on another replica, with the same key. */
export async function invoke(callers: Callers, invocation: Invocation): Promise<void> {
  let origin = callers.balancer.next()
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !callers.patience.aborted; attempt += 1) {
    const answer = await askOnce(origin, invocation.command)
    if (!meansAskAgain(answer)) return note(callers, invocation, answer)
    invocation.unanswered ||= answer === null || codeOf(answer) === 'outcome_unknown'
    await sleep(Math.min(PAUSE_MAX_MS, PAUSE_FIRST_MS * 2 ** attempt))
    origin = callers.balancer.other(origin)
  }
}

/** What was done is asked for once more, elsewhere: the answer must be the same. */
export async function repeat(callers: Callers, invocation: Invocation): Promise<void> {
  const { command, answered } = invocation
  const answer = await askOnce(callers.balancer.next(), command)
  if (meansAskAgain(answer)) return
  const name = nameOfCommand(command)
  if (JSON.stringify(answer.body) !== answered) callers.wrong(`${name}, repeated, was answered otherwise`)
  if (answer.headers.get('idempotency-replayed') !== 'true')
    callers.wrong(`${name}, repeated, was not answered as a repetition`)
}

export function nameOf({ kind, key, handle }: Pick<Answered, 'kind' | 'key' | 'handle'>): string {
  return `the ${kind} ${key} of @${handle}`
}

export function nameOfCommand({ kind, key, customer: { handle } }: Command): string {
  return nameOf({ kind, key, handle })
}

/** What its caller was told, once that is final; null while it may still turn out otherwise. */
export function answeredOf({ command, ...told }: Invocation): Answered | null {
  const { outcome, unanswered, id, answered: body, code } = told
  if (outcome === 'unknown' || (outcome === 'refused' && unanswered)) return null
  const { kind, customer, key } = command
  return { kind, handle: customer.handle, key, outcome, id, body, code }
}

function askOnce(origin: string, { path, body, key, customer }: Command): Promise<Answer | null> {
  return ask(origin, { method: 'POST', path, body, key, cookie: customer.cookie })
}

function note({ wrong }: Callers, invocation: Invocation, answer: Answer): void {
  const name = nameOfCommand(invocation.command)
  if (answer.status === 201) {
    invocation.outcome = 'ok'
    invocation.id = (answer.body as { id: string }).id
    invocation.answered = JSON.stringify(answer.body)
    return
  }
  invocation.outcome = 'refused'
  invocation.code = codeOf(answer)
  if (answer.status >= 500 || answer.status < 400 || answer.status === 401)
    wrong(`${name} was answered with ${answer.status} ${invocation.code}`)
}
