import { pino } from 'pino'
import { openDatabase } from '#db'
import { createEvents } from '#events'
import { createMetrics } from '#telemetry'

// A process of its own that relays and handles events, for tests to kill: node run-events.ts <settings as JSON>
// It ends when its standard input does, so that it cannot outlive its test.
const settings: { url: string; amqpUrl: string | null; brokerPrefix: string; consumer: string } = JSON.parse(
  process.argv[2] ?? '',
)
const { random } = Math
const db = openDatabase({ ...settings, connectionsMax: 8, applicationName: 'run-events', random })
const events = createEvents({
  ...settings,
  db,
  log: pino({ level: 'warn' }, pino.destination(2)),
  random,
  metrics: createMetrics(),
})
events.consume({
  name: settings.consumer,
  async handle(tx, told) {
    for (const { seq } of told) {
      await tx.query('insert into handled (consumer, seq) values ($1, $2)', [settings.consumer, seq])
      // Long enough to be killed in the middle of it.
      if (random() < 0.05) await tx.query('select pg_sleep(0.02)')
    }
  },
})
await events.start({ relay: true, consumers: true })
console.log('started')
for await (const _ of process.stdin);
process.exit()
