import { Pool, type ClientConfig, type PoolClient, type QueryResult, type QueryResultRow } from 'pg'
import { copyIn } from './copy.ts'
import { DatabaseUnavailable, OutcomeUnknown, isServerError } from './errors.ts'
import { parsers } from './parsers.ts'
import { asConfig, type NamedStatement, type Queryable } from './queryable.ts'
import { runTransaction, type Tx } from './transaction.ts'

export interface Database extends Queryable {
  /** Runs `work` in BEGIN … COMMIT, again after a deadlock or serialization failure: up to 5 times in all. */
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>
  /** Runs `work` in a read-only transaction in which every statement sees the same instant. */
  snapshot<T>(work: (q: Queryable) => Promise<T>): Promise<T>
  /**
   * `copy … from stdin`: many new rows at two thirds the price of INSERT, all or none, on one of two connections that are
   * there for it. @returns how many
   */
  copyIn(statement: string, chunks: AsyncIterable<Buffer>): Promise<number>
  /** A connection of the caller's own, to be released by the caller. */
  connect(): Promise<PoolClient>
  close(): Promise<void>
  readonly pool: Pool
}

/** Of one connection. */
export interface ConnectionOptions {
  url: string
  applicationName: string
  /** The role that statements run under; null stays the owner (migrations, tests' set-up). */
  role?: 'kantor_app' | null
  statementTimeoutMs?: number
  lockTimeoutMs?: number
  /** Further settings of the session, for example of its planner. */
  settings?: Readonly<Record<string, string>>
}

export interface DatabaseOptions extends ConnectionOptions {
  connectionsMax: number
  /** Between 0 and 1; spreads retries. */
  random: () => number
}

export const STATEMENT_TIMEOUT_MS = 15_000
const LOCK_TIMEOUT_MS = 5_000
const CONNECT_TIMEOUT_MS = 5_000
// The driver gives up after the server had its chance to: only a dead connection is ever cut by the driver.
const DRIVER_PATIENCE_MS = 5_000
const COPIES_AT_ONCE = 2

export function openDatabase(options: DatabaseOptions): Database {
  // Who sends several statements of a tx without waiting for each pays one round trip for all of them.
  const pool = openPool(options, { max: options.connectionsMax, pipeline: true, idleTimeoutMillis: 60_000 })
  // COPY cannot share a pipelined connection. Opened when it is first wanted.
  const copies = openPool(options, { max: COPIES_AT_ONCE, pipeline: false, idleTimeoutMillis: 10_000 })
  const connect = () => checkOut(pool)
  return {
    pool,
    connect,
    query: <Row extends QueryResultRow>(statement: string | NamedStatement, values?: unknown[]) =>
      queryOnce<Row>(pool, statement, values),
    copyIn: (statement, chunks) => copyIn(() => checkOut(copies), statement, chunks),
    transaction: (work) => runTransaction({ connect, begin: 'begin', random: options.random }, work),
    snapshot: (work) =>
      runTransaction(
        { connect, begin: 'begin isolation level repeatable read, read only', random: options.random },
        work,
      ),
    close: async () => {
      await Promise.all([pool.end(), copies.end()])
    },
  }
}

function openPool(
  options: ConnectionOptions,
  more: { readonly max: number; readonly pipeline: boolean; readonly idleTimeoutMillis: number },
): Pool {
  const pool = new Pool({ ...clientConfig(options), ...more })
  // Without a listener, a connection that dies while nobody uses it ends the process. The pool drops it;
  // who asks next gets a new one, or DatabaseUnavailable.
  pool.on('error', ignoreIdleLoss)
  pool.on('connect', (client) => client.on('error', ignoreIdleLoss))
  return pool
}

function ignoreIdleLoss(): void {}

/** For the pool, and for a room that keeps a connection of its own. */
export function clientConfig(options: ConnectionOptions): ClientConfig {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS
  const { url, options: optionsOfUrl } = splitOptions(options.url)
  return {
    connectionString: url,
    options: [optionsOfUrl, startupOptions(options, statementTimeoutMs)].filter(Boolean).join(' '),
    application_name: options.applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: statementTimeoutMs + DRIVER_PATIENCE_MS,
    keepAlive: true,
    types: parsers,
  }
}

/**
 * Settings travel in the startup packet: no round trip, and `reset role` or `discard all` come back to them
 * instead of to the login role. Ours come last, since the last one of a name counts.
 */
function startupOptions(options: ConnectionOptions, statementTimeoutMs: number): string {
  const settings: Record<string, string> = {
    timezone: 'UTC',
    datestyle: 'ISO',
    jit: 'off',
    random_page_cost: '1.1',
    statement_timeout: `${statementTimeoutMs}`,
    lock_timeout: `${options.lockTimeoutMs ?? LOCK_TIMEOUT_MS}`,
    idle_in_transaction_session_timeout: `${statementTimeoutMs}`,
    ...options.settings,
  }
  const role = options.role === undefined ? 'kantor_app' : options.role
  if (role !== null) settings['role'] = role
  return Object.entries(settings)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(' ')
}

/** The driver lets `?options=` of the address replace ours, role included, so it is taken out and put first. */
function splitOptions(address: string): { url: string; options: string } {
  const url = new URL(address)
  const options = url.searchParams.get('options') ?? ''
  if (options === '') return { url: address, options }
  url.searchParams.delete('options')
  return { url: url.href, options }
}

async function checkOut(pool: Pool): Promise<PoolClient> {
  try {
    return await pool.connect()
  } catch (cause) {
    throw new DatabaseUnavailable('no connection to the database', { cause })
  }
}

/** One statement, its own transaction. Like COMMIT, it may have happened when the connection breaks. */
async function queryOnce<Row extends QueryResultRow>(
  pool: Pool,
  statement: string | NamedStatement,
  values?: unknown[],
): Promise<QueryResult<Row>> {
  const client = await checkOut(pool)
  try {
    const result = await client.query<Row>(asConfig(statement, values))
    client.release()
    return result
  } catch (cause) {
    const connectionIsSound = isServerError(cause)
    client.release(!connectionIsSound)
    if (connectionIsSound) throw cause
    throw new OutcomeUnknown('the connection broke during a statement', { cause })
  }
}
