import type { ProblemBody } from '@kantor/contract/api'
import type { ErrorCode, FieldError } from '@kantor/contract/errors'

/** The catalogue's codes, and what can go wrong before any server has answered. */
export type FailureCode = ErrorCode | 'offline' | 'no_answer' | 'unreadable_answer'

/**
 * What came back instead of an answer. Pages translate `code` into a sentence; `requestId` is what a customer
 * can quote to the operator.
 */
export class ApiError extends Error {
  readonly code: FailureCode
  readonly status: number | null
  readonly fields: FieldError[]
  readonly requestId: string | null
  readonly retryAfterSeconds: number | null

  constructor(failure: {
    code: FailureCode
    status?: number
    fields?: FieldError[]
    requestId?: string
    retryAfterSeconds?: number | null
    cause?: unknown
  }) {
    super(failure.code, { cause: failure.cause })
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
  return header !== null && Number.isFinite(seconds) && seconds >= 0 ? seconds : null
}

/** Reads `application/problem+json`; anything else that is not a success is unreadable, a proxy's page say. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => null)
  const retryAfterSeconds = secondsOf(response.headers.get('retry-after'))
  if (!isProblem(body)) {
    return new ApiError({ code: 'unreadable_answer', status: response.status, retryAfterSeconds })
  }
  return new ApiError({
    code: body.code as FailureCode,
    status: response.status,
    fields: body.errors ?? [],
    requestId: body.requestId,
    retryAfterSeconds,
  })
}
