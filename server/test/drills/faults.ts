import { setTimeout as sleep } from 'node:timers/promises'
import type { SeededRandom } from '#test/seeded-random'
import type { Program } from './program.ts'
import type { Site } from './site.ts'

/**
 * `kill`: -9, and started again. `pause`: SIGSTOP for a while, so that it comes back in the middle of what it did.
 * `backend`: some of its connections are ended by PostgreSQL. `broker`: nobody gets through to RabbitMQ for a while.
 */
export const FAULTS = ['kill', 'pause', 'backend', 'broker'] as const
export type Fault = (typeof FAULTS)[number]

/** What stands before RabbitMQ, for the fleet. */
export interface BrokerGate {
  away(): void
  back(): void
}

export interface FaultsOptions {
  readonly programs: readonly Program[]
  readonly site: Site
  /** Null: there is no broker, and nothing to keep from it. */
  readonly gate: BrokerGate | null
  readonly faults: readonly Fault[]
  readonly seed: number
  readonly random: (seed: number) => SeededRandom
  /** Of a pause, and of the broker's absence. */
  readonly awayMsMax: number
  readonly counts: Record<Fault, number>
  readonly wrong: (sentence: string) => void
  readonly over: AbortSignal
}

/** A row of faults, one after another. */
interface Row {
  readonly faults: readonly Fault[]
  readonly betweenMs: readonly [number, number]
  readonly inflict: (fault: Fault, random: SeededRandom) => Promise<void>
}

/** Of the sudden ones. The first is a kill, so that no short drill is without one; the rest is drawn from all of them. */
const KILLS_SHARE = 0.5

/**
 * Two rows of faults side by side: sudden ones, each when the process killed before is ready again, about every three
 * seconds; and absences, which last. So a process is killed while another sleeps, and while the broker is away.
 */
export async function runFaults(options: FaultsOptions): Promise<void> {
  const { programs, gate, random, awayMsMax, site } = options
  /** Nobody is killed while it sleeps, which a start would wait for, nor put to sleep while it starts. */
  const inHand = new Set<Program>()
  const withOne = async (draw: SeededRandom, work: (program: Program) => Promise<void>) => {
    const program = draw.pick(programs.filter((each) => !inHand.has(each)))
    inHand.add(program)
    await work(program)
    inHand.delete(program)
  }
  const sudden: Row = {
    faults: ['kill', 'backend'],
    betweenMs: [300, 1_500],
    inflict: (fault, draw) => (fault === 'backend' ? endBackends(site, draw) : withOne(draw, killAndStart)),
  }
  const lasting: Row = {
    faults: ['pause', 'broker'],
    betweenMs: [1_000, 4_000],
    inflict: async (fault, draw) => {
      const ms = draw.int(200, awayMsMax)
      if (fault === 'pause') return withOne(draw, (program) => pauseFor(program, ms))
      gate?.away()
      await sleep(ms)
      gate?.back()
    },
  }
  await Promise.all([sudden, lasting].map((row, index) => runRow(options, row, random(options.seed + index))))
}

async function runRow(options: FaultsOptions, row: Row, random: SeededRandom): Promise<void> {
  const { over, counts, programs } = options
  const faults = row.faults.filter((fault) => options.faults.includes(fault))
  if (faults.length === 0) return
  while (!over.aborted) {
    await sleep(random.int(...row.betweenMs), undefined, { signal: over }).catch(() => {})
    if (over.aborted) return
    const kills = counts.kill === 0 || random.next() < KILLS_SHARE
    const fault = faults.includes('kill') && kills ? 'kill' : random.pick(faults)
    counts[fault] += 1
    await row.inflict(fault, random)
    for (const each of programs) if (each.endedByItself()) options.wrong(`${each.name} ended by itself`)
  }
}

async function killAndStart(program: Program): Promise<void> {
  await program.kill()
  await program.start()
}

async function pauseFor(program: Program, ms: number): Promise<void> {
  program.pause()
  await sleep(ms)
  program.resume()
}

/** Some of the connections that the fleet has, whosever they are and whatever they do. */
async function endBackends({ owner }: Site, random: SeededRandom): Promise<void> {
  const { rows } = await owner.query<{ pid: number }>(
    `select pid from pg_stat_activity where datname = current_database() and application_name like 'kantor%'
      order by pid`,
  )
  const doomed = rows.filter(() => random.next() < 0.3).map(({ pid }) => pid)
  await owner.query('select pg_terminate_backend(pid) from unnest($1::int[]) as doomed (pid)', [doomed])
}
