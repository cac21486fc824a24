import { Client } from 'pg'
import { clientConfig, type ConnectionOptions } from './database.ts'
import type { DbLog } from './log.ts'

export interface ListenOptions extends ConnectionOptions {
  /** Names of ours, never input. */
  readonly channels: readonly string[]
  /** Somebody committed a NOTIFY. Must be quick and must not throw. */
  heard(channel: string, payload: string): void
  /** The connection is there, for the first time or again: what was said before went unheard. */
  connected(): void
  readonly log: Pick<DbLog, 'warn'>
}

export interface Listening {
  stop(): Promise<void>
}

const RETRY_MS = 1_000

/**
 * Hears NOTIFY on a connection of its own, which it makes again when it breaks. Only ever a faster way to learn what
 * is in the tables as well: a transaction pooler in between lets nothing through, and nothing says so.
 */
export function listen(options: ListenOptions): Listening {
  let stopped = false
  let client: Client | null = null
  let retry: NodeJS.Timeout | null = null

  const connect = async () => {
    const mine = new Client(clientConfig(options))
    client = mine
    mine.on('notification', ({ channel, payload }) => options.heard(channel, payload ?? ''))
    // After an error comes an end.
    mine.on('error', () => {})
    mine.on('end', again)
    try {
      await mine.connect()
      for (const channel of options.channels) await mine.query(`listen ${channel}`)
      options.connected()
    } catch (error) {
      options.log.warn({ err: error }, 'nothing is heard from the database')
      await mine.end().catch(again)
    }
  }
  const again = () => {
    if (stopped || retry !== null) return
    retry = setTimeout(() => {
      retry = null
      void connect()
    }, RETRY_MS).unref()
  }
  void connect()
  return {
    stop: async () => {
      stopped = true
      if (retry !== null) clearTimeout(retry)
      await client?.end().catch(() => {})
    },
  }
}
