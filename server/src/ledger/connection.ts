import { Socket } from 'node:net'
import { clientConfig, isServerError, type ConnectionOptions, type NamedStatement } from '#db'
import { Client, type QueryResult } from 'pg'
import { POSTING_SETTINGS, resultsOf } from './statements.ts'

/** The connection broke, or the server ended it, while statements were in flight. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost'
}

/** One of the poster's own connections: what is run together leaves in one write and needs one round trip. */
export interface PosterConnection {
  /**
   * Sends all at once and waits for all. Throws the first error, in the statements' order: behind a failed statement
   * of a transaction the others fail too, COMMIT included, which then says ROLLBACK.
   */
  run(statements: NamedStatement[]): Promise<QueryResult[]>
  /** True once it can no longer be used. */
  broken(): boolean
  close(): Promise<void>
  /** Without goodbye: the server rolls back what was open. */
  destroy(): void
}

export async function openConnection(options: ConnectionOptions): Promise<PosterConnection> {
  const socket = new Socket()
  const config = clientConfig({ ...options, settings: POSTING_SETTINGS })
  const client = new Client({ ...config, pipeline: true, stream: () => socket })
  let broken = false
  // Every statement in flight fails with it; the listener only keeps an idle loss from ending the process.
  client.on('error', () => (broken = true))
  client.on('end', () => (broken = true))
  await client.connect()
  return {
    broken: () => broken,
    run: (statements) => runTogether(client, socket, statements),
    close: () => client.end(),
    destroy: () => {
      broken = true
      socket.destroy()
    },
  }
}

async function runTogether(
  client: Client,
  socket: Socket,
  statements: NamedStatement[],
): Promise<QueryResult[]> {
  socket.cork()
  const sent = statements.map((statement) => client.query(statement))
  socket.uncork()
  const settled = await Promise.allSettled(sent)
  try {
    return resultsOf(settled)
  } catch (error) {
    if (isServerError(error)) throw error
    throw new ConnectionLost('the connection broke', { cause: error })
  }
}
