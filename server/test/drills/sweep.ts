import { rm } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { Connection } from 'rabbitmq-client'
import { openDatabase } from '#db'
import type { ToSweep } from './site.ts'

// A process of its own that waits until its input ends, which it does when the drill ends in whatever way, and then
// removes what the drill made. `site.ts` starts it.

let told: ToSweep | null = null
let keepsLogs = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'keep logs') keepsLogs = true
  else told = JSON.parse(line) as ToSweep
}
if (told !== null) await sweep(told)

async function sweep(what: ToSweep): Promise<void> {
  const { serverUrl, databaseName, directory, amqpUrl } = what
  // The embedded server ends with the drill, and its files are in the folder.
  if (serverUrl !== null) await dropDatabase(serverUrl, databaseName)
  if (amqpUrl !== null) await clearBroker(amqpUrl, what)
  if (!keepsLogs) await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 250 })
}

async function clearBroker(url: string, { brokerPrefix, consumers }: ToSweep): Promise<void> {
  const connection = new Connection({ url })
  connection.on('error', (error: unknown) => console.warn(error))
  const queues = consumers.flatMap((name) => [`${brokerPrefix}.${name}`, `${brokerPrefix}.${name}.dead`])
  for (const queue of queues) await connection.queueDelete({ queue })
  for (const exchange of [brokerPrefix, `${brokerPrefix}.dead`]) await connection.exchangeDelete({ exchange })
  await connection.close()
}

async function dropDatabase(serverUrl: string, databaseName: string): Promise<void> {
  const server = openDatabase({
    url: serverUrl,
    connectionsMax: 1,
    applicationName: 'drill-sweeper',
    role: null,
    random: Math.random,
    statementTimeoutMs: 120_000,
  })
  await server.query(`drop database if exists ${databaseName} with (force)`)
  await server.close()
}
