import { Pool, type PoolClient } from 'pg'
import { isServerError } from '#db'
import type { JobLog } from './queue-logger.ts'

/**
 * The library's own connections, as kantor_app too, with the driver's usual types, which it counts on.
 *
 * It drops the promise with which it ticks a job off (0.18.0): when that fails, the process ends for an error that
 * nobody caught, or the job stays locked for as long as we say that we live. What it does by itself is to try again
 * what failed with a code that it knows to pass, 100 times in seven minutes. Its statements may be sent twice, so a
 * lost connection is told under such a code. Rejected: its batches of ticks, which try once too, contrary to their
 * documentation, and then never let the runner end.
 */
export function openQueuePool(options: {
  readonly databaseUrl: string
  readonly connectionsMax: number
  readonly log: JobLog
}): Pool {
  const url = new URL(options.databaseUrl)
  const given = url.searchParams.get('options') ?? ''
  url.searchParams.delete('options')
  const pool = new PatientPool({
    connectionString: url.href,
    options: `${given} -c role=kantor_app -c statement_timeout=60000`.trim(),
    application_name: 'kantor-jobs',
    max: options.connectionsMax,
    connectionTimeoutMillis: 5000,
    keepAlive: true,
  })
  const noted = (error: Error) => options.log.warn({ err: error }, 'a connection of the queue was lost')
  pool.on('error', noted)
  pool.on('connect', (client) => client.on('error', noted))
  return pool
}

type Taker = (error: Error | undefined, client: PoolClient | undefined, done: () => void) => void

class PatientPool extends Pool {
  override connect(): Promise<PoolClient>
  override connect(taker: Taker): void
  override connect(taker?: Taker): Promise<PoolClient> | void {
    // How the pool sends its own lone statements, which the library waits for.
    if (taker !== undefined) return super.connect(taker)
    // Who still wants to tick something off has been left behind: its lease runs out.
    if (this.ending) return new Promise<PoolClient>(() => {})
    return super.connect().then(patientClient, (error: unknown) => {
      throw passing(error)
    })
  }
}

function patientClient(client: PoolClient): PoolClient {
  return new Proxy(client, {
    get(target, name) {
      if (name === 'query')
        return (...args: unknown[]): unknown => {
          const sent: unknown = Reflect.apply(target.query, target, args)
          if (!(sent instanceof Promise)) return sent
          return sent.catch((error: unknown) => {
            throw passing(error)
          })
        }
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Not the worst that the library knows how to wait for: 50 ms at first, and never more than 5 s. */
const TRY_AGAIN = '40001'

function passing(error: unknown): unknown {
  if (isServerError(error)) return error
  return Object.assign(new Error('the queue has no connection', { cause: error }), { code: TRY_AGAIN })
}
