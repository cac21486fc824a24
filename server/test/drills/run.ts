import { parseArgs } from 'node:util'
import { FAULTS, type Fault } from './faults.ts'
import { drillReplicas } from './replicas.ts'
import { violations } from './report.ts'

// `npm run drill -- replicas --minutes 10 [--seed 7] [--faults kill,pause,backend,broker]`, on the servers of
// DATABASE_URL and AMQP_URL, or on the embedded PostgreSQL and without a broker.

const { DATABASE_URL: databaseUrl = null, AMQP_URL: amqpUrl = null } = process.env
const possible = FAULTS.filter((fault) => fault !== 'broker' || amqpUrl !== null)
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: `${Date.now() % 2 ** 32}` },
    faults: { type: 'string', default: possible.join() },
  },
})
const faults = values.faults.split(',')
const [minutes, seed] = [Number(values.minutes), Number(values.seed)]
const isFault = (name: string): name is Fault => (FAULTS as readonly string[]).includes(name)

/** For what comes after the load; whoever waits longer has caught a hang. The fleet dies with this process. */
const END_MINUTES_MAX = 60

if (
  positionals.join() !== 'replicas' ||
  !(minutes > 0) ||
  !Number.isSafeInteger(seed) ||
  !faults.every(isFault)
) {
  console.error(`Usage: npm run drill -- replicas --minutes N [--seed S] [--faults ${FAULTS.join(',')}]`)
  process.exitCode = 1
} else if (faults.includes('broker') && amqpUrl === null) {
  console.error('The fault broker needs a RabbitMQ: set AMQP_URL.')
  process.exitCode = 1
} else {
  setTimeout(
    () => {
      console.error(`WRONG: the drill has not ended ${END_MINUTES_MAX} minutes after its load.`)
      process.exit(1)
    },
    (minutes + END_MINUTES_MAX) * 60_000,
  ).unref()
  const report = await drillReplicas({
    seconds: minutes * 60,
    seed,
    faults,
    databaseUrl,
    amqpUrl,
    awayMsMax: 8_000,
    say: (line) => console.log(line),
  })
  for (const sentence of violations(report)) console.error(`WRONG: ${sentence}`)
  console.log(report.wrong.size === 0 ? 'All invariants held.' : 'Invariants were violated.')
  console.log(
    `To replay: npm run drill -- replicas --minutes ${minutes} --seed ${seed} --faults ${faults.join()}`,
  )
  process.exitCode = report.wrong.size === 0 ? 0 : 1
}
