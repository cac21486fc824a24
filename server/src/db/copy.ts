import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { PoolClient } from 'pg'
import { from } from 'pg-copy-streams'
import { OutcomeUnknown, isServerError } from './errors.ts'

/**
 * Sends rows to a `copy … from stdin`, as fast as the server takes them. All of them are stored, or none.
 * @returns how many
 */
export async function copyIn(
  connect: () => Promise<PoolClient>,
  statement: string,
  chunks: AsyncIterable<Buffer>,
): Promise<number> {
  const source = { failure: null as unknown }
  const client = await connect()
  try {
    const copy = client.query(from(statement))
    await pipeline(Readable.from(watched(chunks, source)), copy)
    client.release()
    return copy.rowCount
  } catch (cause) {
    // What is still under way on it is not waited for: the server rolls back when it is gone.
    client.release(true)
    if (isServerError(cause) || cause === source.failure) throw cause
    throw new OutcomeUnknown('the connection broke while rows were sent', { cause })
  }
}

/** Tells a failure of the caller's own from one of the connection, with which the stream ends it at a `yield`. */
async function* watched(chunks: AsyncIterable<Buffer>, source: { failure: unknown }): AsyncGenerator<Buffer> {
  let asked = true
  try {
    for await (const chunk of chunks) {
      asked = false
      yield chunk
      asked = true
    }
  } catch (error) {
    if (asked) source.failure = error
    throw error
  }
}
