import type { Config } from '#config'
import { openDatabase, openReplica } from '#db'
import type { Database, ReadReplica } from '#db'
import type { Log } from '#telemetry'

const CONNECTIONS_MAX = 16

/** What the rooms read and write, and the replica for those reads that may be behind; null without one. */
export function openDatabases(deps: {
  readonly config: Config
  readonly databaseUrl: string
  readonly clock: () => Date
  readonly random: () => number
  readonly log: Log
}): { readonly db: Database; readonly replica: ReadReplica | null } {
  const { config, databaseUrl, clock, random, log } = deps
  const shared = { connectionsMax: CONNECTIONS_MAX, role: 'kantor_app', random } as const
  const applicationName = `kantor-${config.role}`
  const url = config.databaseReplicaUrl
  return {
    db: openDatabase({ ...shared, url: databaseUrl, applicationName }),
    replica:
      url === null
        ? null
        : openReplica({ ...shared, url, applicationName: `${applicationName}-replica`, clock, log }),
  }
}
