import type { ProblemBody } from './api-types.ts'

/** The API's codes, and what can go wrong before any server has answered. */
export type FailureCode = ProblemBody['code'] | 'offline' | 'no_answer' | 'unreadable_answer'

export interface Failure {
  readonly code: FailureCode
  /** Null: there was no answer. */
  readonly status?: number
  /** What the server says happened, what did not, and what to do. */
  readonly detail?: string
  readonly fields?: ProblemBody['errors']
  readonly requestId?: string
  readonly retryAfterSeconds?: number | null
  readonly cause?: unknown
}

/**
 * What came back instead of an answer. `code` is what to decide by (a newer server may send one that this release does
 * not know); `fields` are the fields of the request that it is about; `requestId` is what to quote to the operator.
 */
export class ApiError extends Error {
  readonly code: FailureCode
  readonly status: number | null
  readonly fields: NonNullable<ProblemBody['errors']>
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null

  constructor(failure: Failure) {
    super(failure.detail ?? failure.code, { cause: failure.cause })
    this.name = 'ApiError'
    this.code = failure.code
    this.status = failure.status ?? null
    this.fields = failure.fields ?? []
    this.requestId = failure.requestId ?? null
    this.retryAfterSeconds = failure.retryAfterSeconds ?? null
  }

  /** True when the request may or may not have happened: it is then sent again with the same key. */
  get outcomeUnknown(): boolean {
    return this.status === null || this.status >= 500 || this.status === 408
  }
}

function isProblem(body: unknown): body is ProblemBody {
  return typeof body === 'object' && body !== null && 'code' in body && typeof body.code === 'string'
}

function secondsOf(header: string | null): number | null {
  const seconds = Number(header)
  return header !== null && header !== '' && Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

/** Reads a problem document; anything else that is not a success is unreadable, a proxy's page say. */
export function refusalOf(response: Response, body: unknown): ApiError {
  const retryAfterSeconds = secondsOf(response.headers.get('retry-after'))
  if (!isProblem(body)) {
    return new ApiError({ code: 'unreadable_answer', status: response.status, retryAfterSeconds })
  }
  const { code, detail, errors, requestId } = body
  return new ApiError({
    code,
    status: response.status,
    detail,
    ...(errors === undefined ? {} : { fields: errors }),
    requestId,
    retryAfterSeconds,
  })
}

/** A request that no answer came to. Where the browser knows that it is off line, that is said. */
export function noAnswer(cause: unknown): ApiError {
  const offline = 'navigator' in globalThis && Reflect.get(globalThis.navigator, 'onLine') === false
  return new ApiError({ code: offline ? 'offline' : 'no_answer', cause })
}
