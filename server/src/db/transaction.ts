import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient, QueryResult, QueryResultRow } from 'pg'
import {
  DatabaseUnavailable,
  OutcomeUnknown,
  TransactionAborted,
  isConflict,
  isServerError,
} from './errors.ts'
import { asConfig, type NamedStatement, type Queryable } from './queryable.ts'

declare const madeByTransaction: unique symbol

/** A connection between BEGIN and COMMIT. Only transaction() makes one, so whoever holds one is inside. */
export interface Tx extends Queryable {
  readonly [madeByTransaction]: true
}

interface Terms {
  connect: () => Promise<PoolClient>
  begin: string
  random: () => number
}

const ATTEMPTS_MAX = 5
const BACKOFF_FIRST_MS = 10

export async function runTransaction<T>(terms: Terms, work: (tx: Tx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await runOnce(terms, work)
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS_MAX) throw error
      // Half fixed, half drawn: those who collided do not collide again in step.
      await sleep(BACKOFF_FIRST_MS * 2 ** (attempt - 1) * (0.5 + terms.random() / 2))
    }
  }
}

async function runOnce<T>(terms: Terms, work: (tx: Tx) => Promise<T>): Promise<T> {
  const client = await terms.connect()
  const scope = new Scope(client)
  try {
    await scope.query(terms.begin)
    const result = await work(scope.tx)
    await commit(client, scope)
    client.release()
    return result
  } catch (error) {
    throw await abandon(client, scope, error)
  } finally {
    scope.end()
  }
}

/**
 * COMMIT can end in three ways. An ERROR means that the server rolled back (a deferred constraint, say):
 * errors after the commit record is written are raised to PANIC. A command tag ROLLBACK means that an
 * earlier statement had failed. Silence, a broken connection or FATAL means that nobody here can know.
 */
async function commit(client: PoolClient, scope: Scope): Promise<void> {
  scope.end()
  if (scope.connectionBroke)
    throw new TransactionAborted('the error of a broken connection was not passed on')
  let tag: string
  try {
    tag = (await client.query('commit')).command
  } catch (cause) {
    if (isServerError(cause)) throw cause
    scope.connectionBroke = true
    throw new OutcomeUnknown('the connection broke at COMMIT', { cause })
  }
  if (tag !== 'COMMIT') throw new TransactionAborted('a failed statement was not passed on; rolled back')
}

/** Undoes and returns what to throw. A broken connection is closed: the server then rolls back by itself. */
async function abandon(client: PoolClient, scope: Scope, error: unknown): Promise<unknown> {
  scope.end()
  if (scope.connectionBroke) {
    client.release(true)
    if (!scope.failures.has(error)) return error
    return new DatabaseUnavailable('the connection broke before COMMIT', { cause: [...scope.failures][0] })
  }
  try {
    await client.query('rollback')
    client.release()
    return error
  } catch (rollbackError) {
    client.release(true)
    return new AggregateError(
      [error, rollbackError],
      'failed, and so did its ROLLBACK; the connection is closed',
    )
  }
}

/** What a tx may reach, and for how long: one that is used too late would write into somebody else's. */
class Scope {
  readonly #client: PoolClient
  readonly tx: Tx
  connectionBroke = false
  /** In their order: of several statements in flight the first fails for the reason that the others only repeat. */
  readonly failures = new Set<unknown>()
  #ended = false

  constructor(client: PoolClient) {
    this.#client = client
    const queryable: Queryable = { query: (statement, values) => this.query(statement, values) }
    this.tx = queryable as Tx
  }

  end(): void {
    this.#ended = true
  }

  async query<Row extends QueryResultRow>(
    statement: string | NamedStatement,
    values?: unknown[],
  ): Promise<QueryResult<Row>> {
    if (this.#ended) throw new Error('this transaction has ended; a statement came too late')
    try {
      return await this.#client.query<Row>(asConfig(statement, values))
    } catch (error) {
      if (!isServerError(error)) {
        this.connectionBroke = true
        this.failures.add(error)
      }
      throw error
    }
  }
}
