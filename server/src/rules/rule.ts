import type { RuleSchedule, RuleStatus } from '@kantor/contract/api'
import type { ErrorCode } from '@kantor/contract/errors'
import type { Tx } from '#db'
import type { z } from 'zod'

/** A value that somebody waits for, and where it has to be: exactly one bound, as decimal text. */
export interface Trigger {
  /** `rate:EUR/PLN`: what the values are looked up by. */
  readonly topic: string
  readonly atOrAbove: string | null
  readonly atOrBelow: string | null
}

/** When a rule is due: by the clock, or by a value until it expires. */
export type Timing =
  { readonly schedule: RuleSchedule } | { readonly trigger: Trigger; readonly expiresAt: Date | null }

/** A rule as it is kept. Its definition is what its kind's schema makes of it. */
export interface Rule<Definition = unknown> {
  readonly id: string
  readonly walletId: bigint
  readonly kind: string
  readonly definition: Definition
  readonly state: RuleStatus
  readonly reason: string | null
  /** How many runs have ended. */
  readonly run: number
  /** How often the pending run was refused for now. */
  readonly tries: number
  readonly triedAt: Date | null
  readonly triedReason: string | null
  readonly plannedFor: Date | null
  readonly wakeAt: Date | null
  readonly trigger: Trigger | null
  readonly expiresAt: Date | null
  readonly version: number
  readonly createdAt: Date
}

/** The one run that is being executed, as its journal and its key in the ledger name it. */
export interface RunName {
  readonly ruleId: string
  readonly kind: string
  readonly run: number
  /** By the clock: the date of the run. */
  readonly plannedFor: Date | null
  /** `rule <id> run <n>`: no customer's key has a blank in it, so nobody can take it first. */
  readonly key: string
  /** 16 bytes, the same whenever this run is posted: should it be posted again, the ledger answers the first time. */
  readonly requestHash: Buffer
}

/** What a journal says of the rule that made it: `detail.rule`, which history explains. A type, since it is JSON. */
export type RuleMark = {
  readonly id: string
  readonly kind: string
  readonly run: number
  /** What it was by: a date, or a bound in words of its kind. */
  readonly [because: string]: string | number
}

/** A run as its journal names it; `because` is what its kind adds. */
export function markOf(
  { ruleId, kind, run, plannedFor }: RunName,
  because: Readonly<Record<string, string>> = {},
): RuleMark {
  const planned = plannedFor === null ? {} : { plannedFor: plannedFor.toISOString() }
  return { id: ruleId, kind, run, ...planned, ...because }
}

/** A run that was done. */
export interface Done {
  /** The journal that it posted, if it posted one. */
  readonly journalId: string | null
  /** Of rules that wait for a value: what they wait for from now on. Without it, the rule is done. */
  readonly waitsFor?: { readonly trigger: Trigger; readonly restUntil: Date | null }
}

/**
 * What looking at a due rule led to, before any lock is taken: nothing yet (the value only came near), something
 * else to wait for without a run, or what is to be done within the tx of the run.
 */
export type Prepared =
  | { readonly outcome: 'notYet' }
  | { readonly outcome: 'rearm'; readonly trigger: Trigger }
  | { readonly outcome: 'ready'; execute(tx: Tx, run: RunName): Promise<Done> }

/** How late a run may be made up for, after the system was away, and whether each is or only the latest. */
export interface Lateness {
  readonly secondsMax: number
  readonly missed: 'each' | 'latest'
}

/** One kind of rule, given by the room that knows what it does. */
export interface RuleKind<Schema extends z.ZodType> {
  /** `standing-order`: the same name for ever, since rows carry it. */
  readonly name: string
  readonly definition: Schema
  /** Whether its runs take something from its owner, which is refused to the frozen. */
  readonly movesValue: boolean
  readonly lateness: Lateness
  timing(definition: z.output<Schema>): Timing
  /**
   * Reads what is needed, outside of any tx. A `Problem` that it or `execute` throws is the refusal of this run;
   * `execute` takes accounts before rows of its own and the ledger's chain head last, and uses no network.
   */
  prepare(rule: Rule<z.output<Schema>>, now: Date): Promise<Prepared>
}

/** A kind as lists hold it: its definition's type is its own affair. */
export interface AnyRuleKind {
  readonly name: string
  readonly movesValue: boolean
  readonly lateness: Lateness
  timing(definition: unknown): Timing
  prepare(rule: Rule, now: Date): Promise<Prepared>
}

/** Ties a kind's definition to its schema: what is kept is parsed again when it is used, it may be of an older release. */
export function defineRule<Schema extends z.ZodType>(
  kind: RuleKind<Schema>,
): AnyRuleKind & { read(rule: Rule): Rule<z.output<Schema>> } {
  const parse = (definition: unknown) => kind.definition.parse(definition)
  const read = (rule: Rule) => ({ ...rule, definition: parse(rule.definition) })
  const { name, movesValue, lateness } = kind
  return {
    name,
    movesValue,
    lateness,
    read,
    timing: (definition) => kind.timing(parse(definition)),
    prepare: async (rule, now) => kind.prepare(read(rule), now),
  }
}

/** The rule of a kind with its own definition type, which `defineRule` gives. */
export type DefinedRule<Definition> = AnyRuleKind & { read(rule: Rule): Rule<Definition> }

/**
 * Something that its owner is told: a run that was not done, or a rule that expired. Of a run that was done the journal
 * tells, whose event reaches its owner like every other: telling here would hold the ledger's chain head while the
 * owner's inbox is waited for.
 */
export interface RuleNews {
  readonly walletId: bigint
  readonly kind: string
  readonly ruleId: string
  /** The run it is about; of an expiry, the one that never came. */
  readonly run: number
  readonly reason: ErrorCode
  /** Whether nothing follows, unless its owner does something. */
  readonly ended: boolean
}

/** Tells the owner within the tx of what it tells of: both happen or neither. */
export type TellOwner = (tx: Tx, news: RuleNews) => Promise<void>
