import type { KeyedPath } from './api-types.ts'

/**
 * The requests that move value, by the OpenAPI document: whoever adds one to the API is told by the compiler to add it
 * here. Types are gone when the program runs, and the document is 1 MB.
 */
const KEYED_POSTS = {
  '/conversion-orders': true,
  '/conversions': true,
  '/orders': true,
  '/price-alerts': true,
  '/recurring-conversions': true,
  '/standing-orders': true,
  '/transfers': true,
  '/wallet/deposits': true,
} as const satisfies Record<KeyedPath, true>

export const isKeyed = (method: string, path: string): boolean =>
  method === 'post' && Object.hasOwn(KEYED_POSTS, path)
