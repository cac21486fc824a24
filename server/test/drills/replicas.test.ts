import { brokerUrl } from '#test/test-broker'
import { inject, expect, test } from 'vitest'
import { FAULTS } from './faults.ts'
import { drillReplicas } from './replicas.ts'
import { violations } from './report.ts'

// The short version. The long one: npm run drill -- replicas --minutes 60

const seed = Number(process.env['KANTOR_SEED'] ?? Date.now() % 2 ** 32)
const LIMIT_MS = 900_000

async function drill(seconds: number, amqpUrl: string | null): Promise<string[]> {
  const lines: string[] = []
  const report = await drillReplicas({
    seconds,
    seed,
    faults: amqpUrl === null ? ['kill', 'pause', 'backend'] : FAULTS,
    databaseUrl: inject('serverUrl'),
    amqpUrl,
    awayMsMax: 4_000,
    say: (line) => lines.push(line),
  })
  if (report.wrong.size > 0) console.error(lines.join('\n'), `\nTo replay: KANTOR_SEED=${seed}`)
  for (const tool of report.notJudgedBy)
    console.warn(`NOT RUN: ${tool} is not installed, so it has not judged the drill's export`)
  expect(report.faults.kill).toBeGreaterThan(0)
  const { done, refused, missed } = report.runs
  expect(done + refused + missed, 'runs of rules').toBeGreaterThan(0)
  return violations(report)
}

const promise = 'two replicas of each role lose nothing and double nothing, while one after another is killed'

// The servers that an operator gives are what counts, and each of the suite's two runs has time for one drill.
if ((process.env['KANTOR_TEST_DATABASE_URL'] ?? '') === '') {
  test(`${promise}, without a broker`, async () => expect(await drill(12, null)).toEqual([]), LIMIT_MS)
} else {
  const broker = await brokerUrl()
  const onServers = async () => expect(await drill(25, broker)).toEqual([])
  test.skipIf(broker === null)(`${promise}, on PostgreSQL and RabbitMQ`, onServers, LIMIT_MS)
}
