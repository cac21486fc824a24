import { once } from 'node:events'
import { createServer } from 'node:http'
import { loadConfig } from '#config'
import { openDatabase } from '#db'
import { createEvents } from '#events'
import { createLog, createMetrics } from '#telemetry'

// A process that consumes events as any room would, and writes down what it was told, for the drill to judge. Its
// address, environment and TERM are as with main.ts, so that it can be killed and paused like the others.

const asked = once(process, 'SIGTERM')
const config = loadConfig(process.env)
const log = createLog({ level: config.logLevel, name: 'kantor-drill-consumer' })
const db = openDatabase({
  url: config.databaseUrl ?? '',
  connectionsMax: 4,
  applicationName: 'kantor-drill-consumer',
  random: Math.random,
})
const events = createEvents({
  db,
  amqpUrl: config.amqpUrl,
  brokerPrefix: config.amqpPrefix,
  log,
  random: Math.random,
  metrics: createMetrics(),
})
events.consume({
  name: 'drill',
  handle: async (tx, told) => {
    for (const { id, seq, parties } of told) {
      const wallets = parties.map(({ walletId }) => walletId)
      await tx.query('insert into drill.told (id, seq, wallets) values ($1, $2, $3)', [id, seq, wallets])
    }
  },
})
await events.start({ relay: false, consumers: true })
const server = createServer((_request, reply) => reply.end('ready'))
server.listen(config.port, config.host)
await asked
server.close()
server.closeAllConnections()
await events.stop()
await db.close()
