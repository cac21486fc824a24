/** What a server said. No answer at all is `null`: then nobody knows what became of the request. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly headers: Headers
}

export interface Question {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Behind `/api/v1`. */
  readonly path: string
  readonly cookie?: string
  readonly body?: object
  readonly key?: string
}

/** No request waits longer than this, whatever happens to the process that has it. */
export const ASK_DEADLINE_MS = 6_000

export async function ask(origin: string, question: Question): Promise<Answer | null> {
  const { method, path, cookie, body, key } = question
  try {
    const reply = await fetch(`${origin}/api/v1${path}`, {
      method,
      headers: {
        ...(cookie === undefined ? {} : { cookie }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { 'idempotency-key': key }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(ASK_DEADLINE_MS),
    })
    const text = await reply.text()
    return { status: reply.status, body: text === '' ? null : JSON.parse(text), headers: reply.headers }
  } catch {
    return null
  }
}

/** The code of a problem reply; `''` for any other body. */
export function codeOf({ body }: Answer): string {
  return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : ''
}

/** Refusals for want of fresh prices: final, though the status is the same as that of a server that is busy. */
const STALE = new Set(['rates_stale', 'prices_stale'])

/** It was not done, or not known to be: to be asked again, with the same key. */
export function meansAskAgain(answer: Answer | null): answer is null {
  if (answer === null || answer.status === 429) return true
  return answer.status === 503 && !STALE.has(codeOf(answer))
}
