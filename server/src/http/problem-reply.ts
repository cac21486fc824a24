import { ERRORS, Problem } from '@kantor/contract/errors'
import type { ErrorCode, FieldError } from '@kantor/contract/errors'
import type { ProblemBody } from '@kantor/contract/api'
import { OutcomeUnknown, meansTryAgain } from '#db'
import type { z } from 'zod'

export const PROBLEM_MEDIA_TYPE = 'application/problem+json'

/** Fastify's own refusals, by its error code, in words of our catalogue. */
const FASTIFY_CODES: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid_request',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_BAD_URL: 'invalid_request',
  FST_ERR_MAX_PARAM_LENGTH: 'invalid_request',
  FST_ERR_NOT_FOUND: 'not_found',
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Record<string, unknown>)[name]
    : undefined
}

/**
 * What a thrown value is to the client. A `Problem` is itself; the web server's refusals of malformed requests
 * and the database's "not now" are mapped; everything else is our fault and says nothing of its inside.
 */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof Problem) return thrown
  const known = FASTIFY_CODES[String(propertyOf(thrown, 'code'))]
  if (known !== undefined) return new Problem(known, { cause: thrown })
  if (thrown instanceof OutcomeUnknown)
    return new Problem('outcome_unknown', { cause: thrown, retryAfterSeconds: 1 })
  if (meansTryAgain(thrown)) return new Problem('unavailable', { cause: thrown, retryAfterSeconds: 1 })
  // The JSON parser's errors (and those of a body that names __proto__) carry no code of fastify's, only a 400.
  if (propertyOf(thrown, 'statusCode') === 400) return new Problem('malformed_json', { cause: thrown })
  return new Problem('internal_error', { cause: thrown })
}

/** The RFC 9457 document for a problem. */
export function problemBody(problem: Problem, requestId: string): ProblemBody {
  const { code, status, options } = problem
  return {
    type: `/docs/errors#${code}`,
    title: ERRORS[code].title,
    status,
    code,
    detail: options.detail ?? ERRORS[code].sentence,
    ...(options.errors === undefined ? {} : { errors: options.errors }),
    ...options.extensions,
    requestId,
  }
}

/** Zod's issues as field errors: the part of the request first (`body`, `query`, …) unless it is the body. */
export function fieldErrors(part: 'body' | 'query' | 'params', error: z.ZodError): FieldError[] {
  const FIELD_ERRORS_MAX = 20
  return error.issues.slice(0, FIELD_ERRORS_MAX).flatMap((issue) => {
    const at = (path: readonly PropertyKey[]) => {
      const own = path.map(String).join('.')
      return part === 'body' ? own : [part, own].filter((piece) => piece !== '').join('.')
    }
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: at([...issue.path, key.slice(0, 60)]),
        message: 'is not a known field',
      }))
    }
    return [{ path: at(issue.path), message: issue.message }]
  })
}
