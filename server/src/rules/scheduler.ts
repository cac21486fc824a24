import { meansTryAgain } from '#db'
import { createLooks } from '#jobs'
import { expireRules, readDue, readReached, readTopics } from './queries.ts'
import type { TopicValue } from './queries.ts'
import type { AnyRuleKind, Rule } from './rule.ts'
import { putAside, runRule } from './run-rule.ts'
import type { RunDeps } from './run-rule.ts'

export interface SchedulerDeps extends RunDeps {
  readonly kinds: readonly AnyRuleKind[]
  /** The newest value of a topic, between two bounds that certainly hold it; null: unknown, so nothing is due by it. */
  readonly valueOf: (topic: string) => Promise<{ readonly low: string; readonly high: string } | null>
  /** Between 0 and 1: processes that look at the same moment begin at different rules. */
  readonly random: () => number
}

/** What executes rules. Any number of processes may run one. */
export interface RuleScheduler {
  /** Everything that is due now. For tests, and for whoever cannot wait for the next look. @returns runs that moved */
  runOnce(): Promise<number>
  start(): void
  /** Looks at once: a rule was made, or a price has come in. */
  wake(): void
  stop(): Promise<void>
}

const LOOK_MS = 1_000
const RETRY_MS = 5_000
const RULES_PER_PAGE = 200
const PAGES_PER_LOOK = 50
const RULES_AT_ONCE = 4
/** More pairs and instruments than there are. */
const TOPICS_MAX = 50_000

export function createRuleScheduler(deps: SchedulerDeps): RuleScheduler {
  // A kind of a newer release is not here; that release's workers execute its rules.
  const kinds = new Map(deps.kinds.map((kind) => [kind.name, kind] as const))
  if (kinds.size !== deps.kinds.length) throw new Error('two kinds of rules have the same name')
  const look = () => runOnce(deps, kinds)
  const looks = createLooks({
    look,
    everyMs: LOOK_MS,
    retryMs: RETRY_MS,
    onFailure: (error) => deps.log.warn({ err: error }, 'rules could not be looked at; tried again'),
  })
  return { runOnce: look, ...looks }
}

type Kinds = ReadonlyMap<string, AnyRuleKind>

async function runOnce(deps: SchedulerDeps, kinds: Kinds): Promise<number> {
  await expire(deps)
  return (await runDue(deps, kinds)) + (await runReached(deps, kinds))
}

/** A page after a page, until one moves nothing: what is left of it is in other hands. */
async function runDue(deps: SchedulerDeps, kinds: Kinds): Promise<number> {
  let moved = 0
  for (let page = 0; page < PAGES_PER_LOOK; page += 1) {
    const due = await readDue(deps.db, { kinds: [...kinds.keys()], now: deps.clock(), limit: RULES_PER_PAGE })
    const movedNow = await runAll(deps, kinds, due)
    moved += movedNow
    if (movedNow === 0) return moved
  }
  return moved
}

/** Every rule whose value may have got there, once a look: a page begins after the last one's rules. */
async function runReached(deps: SchedulerDeps, kinds: Kinds): Promise<number> {
  const values: TopicValue[] = []
  for (const topic of await readTopics(deps.db, TOPICS_MAX)) {
    const value = await deps.valueOf(topic)
    if (value !== null) values.push({ topic, ...value })
  }
  if (values.length === 0) return 0
  let moved = 0
  let afterId: string | null = null
  for (;;) {
    const given = { kinds: [...kinds.keys()], now: deps.clock(), afterId, limit: RULES_PER_PAGE }
    const reached: Rule[] = await readReached(deps.db, values, given)
    moved += await runAll(deps, kinds, reached)
    afterId = reached.at(-1)?.id ?? null
    if (afterId === null || reached.length < RULES_PER_PAGE) return moved
  }
}

/** Some at a time. One that cannot be looked at now does not keep the others from their turn. */
async function runAll(deps: SchedulerDeps, kinds: Kinds, rules: readonly Rule[]): Promise<number> {
  const queue = rules
    .map((rule) => ({ rule, place: deps.random() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ rule }) => rule)
  let moved = 0
  const work = async () => {
    for (let rule = queue.pop(); rule !== undefined; rule = queue.pop()) {
      if (await runKnown(deps, kinds, rule)) moved += 1
    }
  }
  await Promise.all(Array.from({ length: RULES_AT_ONCE }, work))
  return moved
}

async function runKnown(deps: SchedulerDeps, kinds: Kinds, rule: Rule): Promise<boolean> {
  const kind = kinds.get(rule.kind)
  if (kind === undefined) throw new Error(`rule ${rule.id} is of a kind that was not asked for`)
  try {
    return (await runRule(deps, kind, rule)) === 'moved'
  } catch (error) {
    if (!meansTryAgain(error)) return putAsideLogged(deps, rule, error)
    deps.log.warn({ err: error, rule: rule.id }, 'a rule is tried again')
    return false
  }
}

/** What cannot even be refused, such as a definition that this release does not read, must not end everybody's look. */
async function putAsideLogged(deps: SchedulerDeps, rule: Rule, error: unknown): Promise<boolean> {
  deps.log.warn({ err: error, rule: rule.id, kind: rule.kind }, 'a rule cannot be executed and is put aside')
  try {
    return (await putAside(deps, rule)) === 'moved'
  } catch (failure) {
    deps.log.warn({ err: failure, rule: rule.id }, 'a rule could not be put aside')
    return false
  }
}

async function expire(deps: SchedulerDeps): Promise<void> {
  const now = deps.clock()
  for (let page = 0; page < PAGES_PER_LOOK; page += 1) {
    const expired = await deps.db.transaction(async (tx) => {
      const rules = await expireRules(tx, now, RULES_PER_PAGE)
      // Whoever tells several in one tx does so in the order of their wallets.
      rules.sort((one, other) => Number(one.walletId - other.walletId))
      for (const { id, walletId, kind, run } of rules) {
        await deps.tell(tx, { walletId, kind, ruleId: id, run: run + 1, reason: 'rule_expired', ended: true })
      }
      return rules.length
    })
    if (expired < RULES_PER_PAGE) return
  }
}
