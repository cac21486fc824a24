import type { Fault } from './faults.ts'
import type { Load } from './load.ts'

export interface DrillReport {
  readonly seed: number
  /** Every sentence that should not be, once. Empty: all of I1 to I11 held. */
  readonly wrong: Set<string>
  readonly faults: Record<Fault, number>
  judgements: number
  /** Of rules. */
  runs: Readonly<Record<'done' | 'refused' | 'missed', number>>
  /** Events that the drill's own consumers were told. */
  told: bigint
  /** Deliveries of events by the broker, repetitions too. */
  published: number
  /** Accounting programs that accepted the export. */
  readonly judgedBy: string[]
  /** And those that are not installed. */
  readonly notJudgedBy: string[]
}

const SHOWN_MAX = 20

export function describe(report: DrillReport, { open, counts, customers, reads }: Load): string[] {
  const { kill, pause, backend, broker } = report.faults
  const { done, refused, missed } = report.runs
  return [
    `seed ${report.seed}`,
    `${customers.length} customers`,
    `${counts.ok} ok, ${counts.refused} refused, ${open.size} unknown, ${reads} reads`,
    `runs of rules: ${done} done, ${refused} refused, ${missed} missed`,
    `${kill} kills, ${pause} pauses, ${backend} cuts of connections, ${broker} absences of the broker`,
    `${report.told} events told, ${report.published} on the broker`,
    `${report.judgements} judgements, ${report.wrong.size} wrong`,
  ]
}

/** Whether memory stays as it is, which is what a drill of hours depends on. */
export function megabytes(): string {
  return `${Math.round(process.memoryUsage.rss() / 2 ** 20)} MB`
}

export function violations({ wrong }: DrillReport): string[] {
  return [...wrong].slice(0, SHOWN_MAX)
}
