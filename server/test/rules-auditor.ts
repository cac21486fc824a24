import type { Queryable } from '#db'

/**
 * Judges what rules did, from the tables alone and written apart from the code that fills them: its own calendar, its
 * own sums, everything in memory, since it only ever judges tests.
 */

interface RuleRecord {
  id: string
  wallet_id: bigint
  kind: string
  definition: {
    payeeWalletId?: string
    assetId?: number
    amount?: string
    from?: string
    to?: string
    fromAmount?: string
    limit?: { base: string; rate: string }
    schedule?: {
      repeat: string
      weekday?: number
      day?: number
      on?: string
      count?: number
      at: string
      timeZone: string
    }
  }
  state: string
  run: number
  tries: number
  planned_for: Date | null
  created_at: Date
}

interface ExecutionRecord {
  rule_id: string
  run: number
  planned_for: Date | null
  ended_at: Date
  outcome: string
  reason: string | null
  journal_id: string | null
}

interface JournalRecord {
  postings: bigint[]
  detail: {
    rule?: { id: string; run: number }
    midRatio?: { numerator: string; denominator: string }
    marginBps?: number
  } | null
}

const DAY_MS = 86_400_000
const WEEK_MS = 7 * DAY_MS

interface Asset {
  readonly id: bigint
  readonly scale: number
}

/** `12.3` at 2 digits → 1230. */
function minorOf(text: string, { scale }: Asset): bigint {
  const [whole = '0', decimals = ''] = text.split('.')
  return BigInt(whole + decimals.padEnd(scale, '0'))
}

export interface RulesAudit {
  /** What is wrong, one sentence each; empty when nothing is. */
  readonly wrong: string[]
  readonly counts: { readonly done: number; readonly refused: number; readonly missed: number }
}

/** @param now the furthest that any clock has been: what was due by then has been executed */
export async function auditRules(q: Queryable, now: Date): Promise<RulesAudit> {
  const { rows: rules } = await q.query<RuleRecord>('select * from rules.rules order by id')
  const { rows: executions } = await q.query<ExecutionRecord>(
    'select * from rules.executions order by rule_id, run',
  )
  const { rows: journals } = await q.query<JournalRecord>(
    `select postings, detail from ledger.journals where detail ? 'rule' order by seq`,
  )
  const { rows: assets } = await q.query<{ id: number; code: string; scale: number }>(
    'select id, code, scale from ledger.assets',
  )
  const byRule = Map.groupBy(executions, ({ rule_id }) => rule_id)
  const known = {
    rules: new Map(rules.map((rule) => [rule.id, rule])),
    // By its code, as conversions name it, and by its id, as standing orders do.
    assets: new Map(
      assets.flatMap(({ id, code, scale }) => {
        const asset = { id: BigInt(id), scale }
        return [
          [code, asset],
          [`${id}`, asset],
        ]
      }),
    ),
  }
  const wrong = [
    ...auditMarks(known.rules, executions, journals),
    ...rules.flatMap((rule) => [
      ...auditRuns(rule, byRule.get(rule.id) ?? []),
      ...auditDates(rule, byRule.get(rule.id) ?? [], now),
    ]),
    ...journals.flatMap((journal) => auditSum(known, journal)),
  ]
  const count = (outcome: string) => executions.filter((each) => each.outcome === outcome).length
  return { wrong, counts: { done: count('done'), refused: count('refused'), missed: count('missed') } }
}

/** An alert tells its owner, and posts nothing. */
const posts = ({ kind }: RuleRecord) => kind !== 'price-alert'

/** Every run that was done has one journal, and every journal of a rule is of a run that was done. */
function auditMarks(
  rules: ReadonlyMap<string, RuleRecord>,
  executions: ExecutionRecord[],
  journals: JournalRecord[],
): string[] {
  const done = new Set<string>()
  for (const { rule_id, run, outcome } of executions) {
    const rule = rules.get(rule_id)
    if (outcome === 'done' && rule !== undefined && posts(rule)) done.add(`${rule_id} ${run}`)
  }
  const posted = new Set<string>()
  const wrong: string[] = []
  for (const { detail } of journals) {
    const name = `${detail?.rule?.id ?? ''} ${detail?.rule?.run ?? 0}`
    if (posted.has(name)) wrong.push(`${name} was posted twice`)
    if (!done.has(name)) wrong.push(`${name} was posted and not written down`)
    posted.add(name)
  }
  const lost = [...done].filter((name) => !posted.has(name))
  return [...wrong, ...lost.map((name) => `${name} was written down and not posted`)]
}

/** Runs are 1, 2, 3 …, and each says how it ended. */
function auditRuns(rule: RuleRecord, executions: ExecutionRecord[]): string[] {
  const wrong: string[] = []
  if (executions.some(({ run }, index) => run !== index + 1)) wrong.push(`${rule.id} left out a run`)
  if (executions.length !== rule.run) wrong.push(`${rule.id} counts ${rule.run} of ${executions.length} runs`)
  for (const { run, outcome, reason, journal_id } of executions) {
    const isDone = outcome === 'done'
    if (isDone !== (reason === null) || (isDone && posts(rule)) !== (journal_id !== null))
      wrong.push(`${rule.id} run ${run} is ${outcome} because of ${reason}`)
    if (reason === 'internal_error') wrong.push(`${rule.id} run ${run} was refused by a fault of ours`)
  }
  return wrong
}

/** The dates of its runs are those of the calendar, from its making on, each once; what is due has been executed. */
function auditDates(rule: RuleRecord, executions: ExecutionRecord[], now: Date): string[] {
  const { schedule } = rule.definition
  if (schedule === undefined) return []
  const wrong: string[] = []
  const planned = executions.map(({ planned_for }) => planned_for?.getTime() ?? 0)
  if (rule.planned_for !== null) planned.push(rule.planned_for.getTime())
  const dates = calendar(schedule, rule.created_at, new Date(now.getTime() + 60 * DAY_MS))
  if (planned.length > (schedule.count ?? Infinity))
    wrong.push(`${rule.id} has more runs than it was to have`)
  planned.forEach((at, index) => {
    if (dates[index] !== at)
      wrong.push(
        `${rule.id} planned ${new Date(at).toISOString()} and not ${new Date(dates[index] ?? 0).toISOString()}`,
      )
  })
  const isOver = rule.state !== 'active' || rule.tries > 0
  if (!isOver && (rule.planned_for?.getTime() ?? Infinity) <= now.getTime())
    wrong.push(`${rule.id} is due and was not executed`)
  for (const { run, outcome, planned_for, ended_at } of executions) {
    const late = ended_at.getTime() - (planned_for?.getTime() ?? 0)
    if (late < 0) wrong.push(`${rule.id} run ${run} ended before its date`)
    if (outcome === 'done' && late > WEEK_MS) wrong.push(`${rule.id} run ${run} was done ${late} ms late`)
    if (outcome === 'missed' && rule.kind === 'standing-order' && late <= WEEK_MS)
      wrong.push(`${rule.id} run ${run} was missed though it could be made up for`)
  }
  return wrong
}

/** Day by day, and the moment by looking at its clocks every half hour around: slow, and like nothing that the code does. */
function calendar(
  schedule: NonNullable<RuleRecord['definition']['schedule']>,
  after: Date,
  until: Date,
): number[] {
  const clock = clockOf(schedule.timeZone)
  const found: number[] = []
  for (let day = Math.floor(after.getTime() / DAY_MS) - 1; day * DAY_MS < until.getTime(); day += 1) {
    const date = new Date(day * DAY_MS)
    if (!isDate(schedule, date)) continue
    const moment = firstShowing(clock, date, schedule.at)
    if (moment > after.getTime()) found.push(moment)
  }
  return found
}

const clocks = new Map<string, Intl.DateTimeFormat>()

function clockOf(timeZone: string): Intl.DateTimeFormat {
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' })
  clocks.set(timeZone, clock)
  return clock
}

/** A time that clocks skip is as much later: they skip half an hour or an hour. */
function firstShowing(clock: Intl.DateTimeFormat, date: Date, at: string): number {
  for (const skippedMs of [0, 1_800_000, 3_600_000]) {
    const wall = new Date(Date.parse(`${date.toISOString().slice(0, 10)}T${at}:00Z`) + skippedMs)
    const wanted = wall.toISOString().slice(0, 16).replace('T', ' ')
    // Zones of these workloads are whole half hours from UTC, at most 14 hours.
    for (let ms = wall.getTime() - 15 * 3_600_000; ms <= wall.getTime() + 15 * 3_600_000; ms += 1_800_000) {
      if (clock.format(new Date(ms)) === wanted) return ms
    }
  }
  throw new Error(`nothing shows ${at} on ${date.toISOString()}`)
}

function isDate(schedule: NonNullable<RuleRecord['definition']['schedule']>, date: Date): boolean {
  if (schedule.repeat === 'once') return date.toISOString().startsWith(schedule.on ?? '-')
  if (schedule.repeat === 'weekly') return date.getUTCDay() === (schedule.weekday ?? 0) % 7
  const isLast = new Date(date.getTime() + DAY_MS).getUTCDate() === 1
  const day = schedule.day ?? 0
  return date.getUTCDate() === day || (isLast && day > date.getUTCDate())
}

interface Known {
  readonly rules: ReadonlyMap<string, RuleRecord>
  readonly assets: ReadonlyMap<string, Asset>
}

/** What was posted is what the rule says: between whom, how much, and at a rate that its limit allows. */
function auditSum({ rules, assets }: Known, { postings, detail }: JournalRecord): string[] {
  const rule = rules.get(detail?.rule?.id ?? '')
  if (rule === undefined) return [`a journal is of rule ${detail?.rule?.id}, which there is not`]
  const { definition } = rule
  const asset = (name: string | number | undefined): Asset => {
    const found = assets.get(`${name}`)
    if (found === undefined) throw new Error(`${rule.id} is of ${name}, which is no asset`)
    return found
  }
  if (rule.kind === 'standing-order') {
    const sent = asset(definition.assetId)
    const wanted = [
      accountOf(rule.wallet_id, sent),
      accountOf(BigInt(definition.payeeWalletId ?? 0), sent),
      minorOf(definition.amount ?? '', sent),
    ]
    return `${wanted}` === `${postings}` ? [] : [`${rule.id} sent ${postings}`]
  }
  if (definition.fromAmount === undefined) return [`${rule.id} does not say how much is paid`]
  const [from, to] = [asset(definition.from), asset(definition.to)]
  return auditDeal(rule, { from, to, paid: minorOf(definition.fromAmount, from) }, { postings, detail })
}

const accountOf = (wallet: bigint, asset: Asset) => wallet * 2n ** 27n + asset.id * 2n ** 7n

function auditDeal(
  { id, wallet_id, definition: { limit, from: fromCode } }: RuleRecord,
  { from, to, paid }: { from: Asset; to: Asset; paid: bigint },
  { postings, detail }: JournalRecord,
): string[] {
  const mid = detail?.midRatio
  if (mid === undefined) return [`${id} converted at no rate`]
  const [payer, , exchanged = 0n, , receiver, received, feePayer, , fee = 0n] = postings
  const top = BigInt(mid.numerator) * (10_000n - BigInt(detail?.marginBps ?? 0))
  const bottom = BigInt(mid.denominator) * 10_000n
  const wrong: string[] = []
  if ((detail?.marginBps ?? 0) < 1) wrong.push(`${id} was dealt without a margin`)
  const account = accountOf(wallet_id, from)
  if (payer !== account || (fee > 0n && feePayer !== account) || exchanged + fee !== paid)
    wrong.push(`${id} paid ${exchanged} and ${fee}, not ${paid}`)
  const wanted = (exchanged * top * 10n ** BigInt(to.scale)) / (bottom * 10n ** BigInt(from.scale))
  if (receiver !== accountOf(wallet_id, to) || received !== wanted)
    wrong.push(`${id} received ${received}, which is not ${exchanged} at ${top}/${bottom}`)
  if (limit === undefined) return wrong
  const least = { scale: limit.rate.split('.')[1]?.length ?? 0 }
  const [bound, unit] = [minorOf(limit.rate, { id: 0n, ...least }), 10n ** BigInt(least.scale)]
  // A limit on what is paid asks for so much of the other; one on what is got, that it costs no more.
  const isGood = limit.base === fromCode ? top * unit >= bound * bottom : bottom * unit <= bound * top
  if (!isGood) wrong.push(`${id} was dealt beyond its limit`)
  return wrong
}
