import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { faultProxy } from '#test/fault-proxy'
import { seededRandom } from '#test/seeded-random'
import { openAnswerLog } from './answer-log.ts'
import { createBalancer } from './balancer.ts'
import { runFaults, type BrokerGate, type Fault } from './faults.ts'
import { killAll, startFleet, type Fleet } from './fleet.ts'
import { invoke, nameOfCommand, type Callers } from './invocations.ts'
import { judgeAnswers } from './judge-answers.ts'
import { judgeAtTheEnd } from './judge-at-the-end.ts'
import { watchBroker, type BrokerWatch } from './judge-broker.ts'
import { countTold, judgeTold, TOLD_TABLE } from './judge-events.ts'
import { judgeBalances } from './judge-ledger.ts'
import { noteAnswer, runLoad, signUpFirst, type Load } from './load.ts'
import { countRuns } from './judge-rules.ts'
import { passTime } from './pass-time.ts'
import { describe, megabytes, type DrillReport } from './report.ts'
import { openSite, type Site } from './site.ts'

export interface ReplicasOptions {
  readonly seconds: number
  readonly seed: number
  readonly faults: readonly Fault[]
  /** Null: the embedded server. */
  readonly databaseUrl: string | null
  /** Null: no broker. */
  readonly amqpUrl: string | null
  /** Of a pause, and of the broker's absence. */
  readonly awayMsMax: number
  readonly say: (line: string) => void
}

export interface Drill {
  readonly options: ReplicasOptions
  readonly site: Site
  readonly fleet: Fleet
  readonly load: Load
  readonly report: DrillReport
  readonly callers: Callers
  /** Both null without a broker. */
  readonly broker: BrokerWatch | null
  readonly gate: BrokerGate | null
}

const SAY_EVERY_MS = 5_000
const PASS_EVERY_MS = 1_000
const JUDGE_EVERY_MS = 5_000
/** The longer judges take, since the ledger has grown, the longer they leave the machine to the others. */
const REST_PER_WORK = 4
const CALLERS_AT_ONCE = 8
const CUSTOMERS_FIRST = 12
const CUSTOMERS_MAX = 40
/** Of those who got no answer, once nothing disturbs any more. */
const SETTLE_WITHIN_MS = 180_000

/** Two of each role under load, one killed after another, judged all the while and at the end. */
export async function drillReplicas(options: ReplicasOptions): Promise<DrillReport> {
  const { seed, say, amqpUrl } = options
  const startedAt = Date.now()
  const report: DrillReport = {
    seed,
    wrong: new Set(),
    faults: { kill: 0, pause: 0, backend: 0, broker: 0 },
    judgements: 0,
    runs: { done: 0, refused: 0, missed: 0 },
    told: 0n,
    published: 0,
    judgedBy: [],
    notJudgedBy: [],
  }
  const gate = amqpUrl === null ? null : await faultProxy(amqpUrl)
  // The fleet has the broker behind the gate; judges, and who clears up, go round it.
  const environment = gate === null ? {} : { AMQP_URL: gate.url }
  const site = await openSite({ serverUrl: options.databaseUrl, amqpUrl, environment })
  const answers = openAnswerLog(join(site.directory, 'answers.jsonl'))
  const load: Load = { customers: [], open: new Set(), answers, counts: { ok: 0, refused: 0 }, reads: 0 }
  try {
    await site.migrate()
    await site.owner.query(TOLD_TABLE)
    const fleet = await startFleet(site)
    site.noteConsumers(await consumersOf(site))
    const broker = amqpUrl === null ? null : await watchBroker(amqpUrl, site.brokerPrefix)
    try {
      const callers = callersOf(options, fleet, report)
      const drill = { options, site, fleet, load, report, callers, broker, gate }
      await signUpFirst(load, CUSTOMERS_FIRST, { ...callers, random: seededRandom(seed + 2) })
      await disturb(drill)
      await settle(drill)
      await judgeAtTheEnd(drill)
    } finally {
      await broker?.close()
      await killAll(fleet)
    }
    for (const line of describe(report, load)) say(line)
    say(`${Math.round((Date.now() - startedAt) / 1_000)} s, ${megabytes()}`)
  } finally {
    answers.close()
    await site.close({ keepLogs: report.wrong.size > 0 })
    await gate?.close()
    if (report.wrong.size > 0) say(`logs are in ${site.directory}`)
  }
  return report
}

async function consumersOf({ owner }: Site): Promise<string[]> {
  const { rows } = await owner.query<{ name: string }>('select name from events.cursors')
  return rows.map(({ name }) => name)
}

function callersOf({ seed, seconds }: ReplicasOptions, fleet: Fleet, report: DrillReport): Callers {
  const origins = fleet.apis.map(({ origin }) => origin)
  return {
    balancer: createBalancer(origins, seededRandom(seed)),
    wrong: (sentence) => report.wrong.add(sentence),
    patience: AbortSignal.timeout(seconds * 1_000 + SETTLE_WITHIN_MS),
  }
}

/** Load, faults and judges, side by side, until the time is over. */
async function disturb(drill: Drill): Promise<void> {
  const { options, site, fleet, load, report, callers, gate } = drill
  const { seconds, seed, faults, awayMsMax } = options
  const failed = new AbortController()
  const over = AbortSignal.any([AbortSignal.timeout(seconds * 1_000), failed.signal])
  const startedAt = Date.now()
  const elapsed = () => `${Math.round((Date.now() - startedAt) / 1_000)} s of ${Math.round(seconds)}`
  const line = () => `${elapsed()}: ${describe(report, load).join('; ')}; ${megabytes()}`
  await allToTheirEnd(failed, [
    // Each draws from numbers of its own, so that how fast one is does not change what the other does.
    runFaults({
      programs: fleet.all,
      site,
      gate,
      faults,
      seed: seed + 3,
      random: seededRandom,
      awayMsMax,
      counts: report.faults,
      wrong: callers.wrong,
      over,
    }),
    runLoad(load, {
      ...callers,
      random: seededRandom(seed + 5),
      customersMax: CUSTOMERS_MAX,
      callersAtOnce: CALLERS_AT_ONCE,
      over,
    }),
    every(PASS_EVERY_MS, over, () => passTime(site.owner)),
    every(SAY_EVERY_MS, over, async () => options.say(line())),
    every(JUDGE_EVERY_MS, over, judgeOnTheWay(drill)),
  ])
}

/** What fails ends the others too, and nothing of it goes on behind the back of who clears up. */
async function allToTheirEnd(failed: AbortController, parts: readonly Promise<void>[]): Promise<void> {
  const ends = await Promise.allSettled(
    parts.map((part) =>
      part.catch((error: unknown) => {
        failed.abort()
        throw error
      }),
    ),
  )
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

async function every(ms: number, over: AbortSignal, work: () => Promise<void>): Promise<void> {
  let restMs = ms
  while (!over.aborted) {
    await sleep(restMs, undefined, { signal: over }).catch(() => {})
    if (over.aborted) return
    const startedAt = Date.now()
    await work()
    restMs = Math.max(ms, REST_PER_WORK * (Date.now() - startedAt))
  }
}

/** What was answered before the judges look must be there when they do; each answer is looked at once on the way. */
function judgeOnTheWay({ site, load, report, broker }: Drill): () => Promise<void> {
  let judged = 0
  return async () => {
    const answered = load.answers.end()
    const found = await site.owner.snapshot(async (q) => [
      ...(await judgeBalances(q)),
      ...(await judgeAnswers(q, load.answers.read(judged, answered))),
      ...(await judgeTold(q)),
    ])
    judged = answered
    for (const sentence of found) report.wrong.add(sentence)
    report.told = await countTold(site.owner)
    report.runs = await countRuns(site.owner)
    report.published = broker?.count() ?? 0
    report.judgements += 1
  }
}

/** Nothing disturbs any more: who got no answer, or no final one, asks once more. */
async function settle({ options, load, callers }: Drill): Promise<void> {
  const open = [...load.open]
  options.say(`${open.length} got no final answer and ask again`)
  await Promise.all(
    open.map(async (invocation) => {
      // A refusal counts when no try before it may still be on its way.
      do {
        invocation.unanswered = false
        await invoke(callers, invocation)
      } while (invocation.unanswered && invocation.outcome === 'refused' && !callers.patience.aborted)
      noteAnswer(load, invocation)
      if (load.open.has(invocation))
        callers.wrong(`I6 ${nameOfCommand(invocation.command)} never got an answer`)
    }),
  )
}
