import { Worker } from 'node:worker_threads'
import { Problem } from '@kantor/contract/errors'
import { PASSWORD_LENGTH_MIN } from '@kantor/contract/api'
import { createGate } from './gate.ts'
import { normalizePassword } from './password-hasher.ts'
import type { StrengthAnswer, StrengthQuestion } from './strength-worker.ts'

/** Of 4: "safely unguessable", above 10^8 guesses. */
const SCORE_MIN = 3
const RETRY_AFTER_SECONDS = 3
/** At the worst 180 ms each: a full queue is under four seconds. */
const WAITING_MAX = 20

export interface PasswordPolicy {
  /** Throws `weak_password`, which says what to do, unless this is a good password for this person. */
  check(password: string, person: { email: string; handle: string; name: string }): Promise<void>
  close(): Promise<void>
}

/**
 * At least 10 characters in any script and hard to guess: not among the passwords known from breaches (the
 * 49,000 commonest, kept offline), not words, names, dates or keyboard rows of English or Polish, not made
 * of the person's own handle, name or e-mail.
 */
export function createPasswordPolicy(): PasswordPolicy {
  const thread = createStrengthThread()
  const gate = createGate({ atOnce: 1, waitingMax: WAITING_MAX, retryAfterSeconds: RETRY_AFTER_SECONDS })
  return {
    close: thread.close,
    check: async (password, person) => {
      const normal = normalizePassword(password)
      // Again, since normalising may have shortened it.
      if ([...normal].length < PASSWORD_LENGTH_MIN)
        throw weak([`Use at least ${PASSWORD_LENGTH_MIN} characters.`])
      const { score, advice } = await gate(() => thread.ask(normal, personalWords(person)))
      if (score < SCORE_MIN) throw weak(advice)
    },
  }
}

const USUAL_ADVICE = 'Add more words that are less common.'

function weak(advice: readonly string[]): Problem {
  const message = advice.length > 0 ? advice.join(' ') : USUAL_ADVICE
  return new Problem('weak_password', { errors: [{ path: 'password', message }] })
}

/** Words that a guesser who knows the person tries first, and the name of the house. */
function personalWords(person: { email: string; handle: string; name: string }): string[] {
  const parts = [person.email, person.handle, person.name].flatMap((text) => [
    text,
    ...text.split(/[^\p{L}\p{N}]+/u),
  ])
  return [...new Set([...parts, 'kantor'].map((word) => word.toLowerCase()))].filter(
    (word) => word.length > 2,
  )
}

/** With its dictionaries it holds 60 MB; unbounded, the garbage of 400 judgements had made it 300. */
const THREAD_MEMORY = { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: 16 }

interface StrengthThread {
  ask(password: string, personalWords: readonly string[]): Promise<StrengthAnswer>
  close(): Promise<void>
}

/** Started at the first question (its dictionaries take half a second), again after a crash. */
function createStrengthThread(): StrengthThread {
  const asked = new Map<number, PromiseWithResolvers<StrengthAnswer>>()
  let worker: Worker | undefined
  let lastId = 0

  const start = () => {
    const started = new Worker(new URL('./strength-worker.ts', import.meta.url), {
      resourceLimits: THREAD_MEMORY,
    })
    const end = (reason: Error) => {
      if (worker === started) worker = undefined
      for (const { reject } of asked.values()) reject(reason)
      asked.clear()
    }
    started.on('message', (answer: StrengthAnswer) => {
      asked.get(answer.id)?.resolve(answer)
      asked.delete(answer.id)
      if (asked.size === 0) started.unref()
    })
    started.on('error', end)
    started.on('exit', () => end(new Error('the thread that judges passwords has ended')))
    return started
  }

  return {
    ask: (password, personalWords) => {
      worker ??= start()
      const id = (lastId += 1)
      const answer = Promise.withResolvers<StrengthAnswer>()
      asked.set(id, answer)
      // While it has a question it keeps the process alive, and only then.
      worker.ref()
      worker.postMessage({ id, password, personalWords } satisfies StrengthQuestion, [])
      return answer.promise
    },
    close: async () => {
      await worker?.terminate()
    },
  }
}
