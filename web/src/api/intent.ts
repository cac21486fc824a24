import { ApiError, newIdempotencyKey } from '@kantor/client'

export interface Intent<Body> {
  /** Sends the body under the intent's key; the same body after an unknown outcome goes under the same key. */
  send: <Reply>(body: Body, post: (body: Body, idempotencyKey: string) => Promise<Reply>) => Promise<Reply>
}

/**
 * One thing a customer wants done once. Pressing again after a lost connection must not do it twice, so the
 * key lives until the server has said yes or no, or until what is wanted has changed.
 */
export function createIntent<Body>(newKey: () => string = newIdempotencyKey): Intent<Body> {
  let open: { key: string; content: string } | null = null
  return {
    async send(body, post) {
      const content = JSON.stringify(body)
      if (open === null || open.content !== content) open = { key: newKey(), content }
      try {
        const reply = await post(body, open.key)
        open = null
        return reply
      } catch (error) {
        if (error instanceof ApiError && !error.outcomeUnknown) open = null
        throw error
      }
    },
  }
}
