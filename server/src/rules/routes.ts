import { Problem } from '@kantor/contract/errors'
import type { ErrorCode } from '@kantor/contract/errors'
import { dryRun, ruleParams, ruleRuns, ruleRunsQuery, rulesQuery } from '@kantor/contract/api'
import type { DryRun, RuleRuns, RuleRunsQuery, RulesQuery, RuleSwitch } from '@kantor/contract/api'
import { hash } from 'node:crypto'
import { route } from '#http'
import type { Access, Route } from '#http'
import { z } from 'zod'
import { cancelRule, changeRule, createRule, requireRule } from './keep-rules.ts'
import type { KeepDeps } from './keep-rules.ts'
import { readExecutions } from './queries.ts'
import type { DefinedRule, Rule } from './rule.ts'
import { listRules } from './stored-rules.ts'

/** A kind of rule as its customers meet it. */
export interface RuleApi<Definition, Request, Change extends RuleSwitch, Body> {
  /** `/standing-orders`. */
  readonly path: string
  readonly tag: string
  /** Who may make and change them. */
  readonly access: Extract<Access, 'read' | 'trade' | 'transfer'>
  readonly kind: DefinedRule<Definition>
  /** `a standing order`, for the sentences of the API page, and what making one means. */
  readonly noun: string
  readonly summary: string
  readonly request: z.ZodType<Request>
  readonly change: z.ZodType<Change>
  readonly reply: z.ZodType<Body, Body>
  /** What `define` and `redefine` may throw. */
  readonly problems: readonly ErrorCode[]
  define(walletId: bigint, request: Request): Promise<Definition>
  redefine(rule: Rule<Definition>, change: Change): Promise<Definition>
  show(rules: readonly Rule<Definition>[]): Promise<Body[]>
  dryRun(walletId: bigint, definition: Definition): Promise<DryRun>
}

const REQUEST_HASH_BYTES = 16
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const RUN = /^[1-9][0-9]{0,8}$/

/** Make, see, change, end and try out rules of one kind. */
export function ruleRoutes<Definition, Request, Change extends RuleSwitch, Body>(
  deps: KeepDeps,
  api: RuleApi<Definition, Request, Change, Body>,
): Route[] {
  return [...makingRoutes(deps, api), ...readingRoutes(deps, api), ...changingRoutes(deps, api)]
}

function makingRoutes<Definition, Request, Change extends RuleSwitch, Body>(
  deps: KeepDeps,
  api: RuleApi<Definition, Request, Change, Body>,
): Route[] {
  const { access, tag, path, kind } = api
  return [
    route({
      method: 'POST',
      path,
      access,
      tag,
      summary: api.summary,
      body: api.request,
      reply: api.reply,
      status: 201,
      idempotent: true,
      problems: [...api.problems, 'schedule_over', 'too_many_rules'],
      handle: async ({ principal: { walletId }, body, idempotencyKey: key }) => {
        const made = await createRule(deps, {
          walletId,
          kind,
          key,
          requestHash: requestHash(kind.name, body),
          define: () => api.define(walletId, body),
          show: (rule) => showOne(api, rule),
        })
        return { body: api.reply.parse(made.body), replayed: made.replayed }
      },
    }),
    route({
      method: 'POST',
      path: `${path}/dry-run`,
      access: 'read',
      tag,
      summary: `What ${api.noun} would have done over the past year, on the rates that are stored. Binds nobody.`,
      body: api.request,
      reply: dryRun,
      problems: api.problems,
      handle: async ({ principal: { walletId }, body }) => ({
        body: await api.dryRun(walletId, await api.define(walletId, body)),
      }),
    }),
  ]
}

function readingRoutes<Definition, Request, Change extends RuleSwitch, Body>(
  deps: KeepDeps,
  api: RuleApi<Definition, Request, Change, Body>,
): Route[] {
  const { tag, path, kind } = api
  return [
    route({
      method: 'GET',
      path,
      access: 'read',
      tag,
      summary: `Yours of the kind, newest first: open ones (active or paused) or those that have ended.`,
      query: rulesQuery,
      reply: z.strictObject({ items: z.array(api.reply), nextCursor: z.string().nullable() }),
      problems: ['invalid_cursor'],
      handle: async ({ principal, query }) => ({
        body: await showList(deps, api, principal.walletId, query),
      }),
    }),
    route({
      method: 'GET',
      path: `${path}/{id}`,
      access: 'read',
      tag,
      summary: `See ${api.noun} of yours.`,
      params: ruleParams,
      reply: api.reply,
      handle: async ({ principal: { walletId }, params: { id } }) => ({
        body: await showOne(api, await requireRule(deps, kind, { walletId, id })),
      }),
    }),
    route({
      method: 'GET',
      path: `${path}/{id}/runs`,
      access: 'read',
      tag,
      summary: `How the runs of ${api.noun} ended, the last first; the operation of each that was done.`,
      params: ruleParams,
      query: ruleRunsQuery,
      reply: ruleRuns,
      problems: ['invalid_cursor'],
      handle: async ({ principal: { walletId }, params: { id }, query }) => {
        const rule = await requireRule(deps, kind, { walletId, id })
        return { body: await showRuns(deps, rule, query) }
      },
    }),
  ]
}

function changingRoutes<Definition, Request, Change extends RuleSwitch, Body>(
  deps: KeepDeps,
  api: RuleApi<Definition, Request, Change, Body>,
): Route[] {
  const { access, tag, path, kind } = api
  return [
    route({
      method: 'PATCH',
      path: `${path}/{id}`,
      access,
      tag,
      summary: `Pause, resume or change ${api.noun}. What falls due while it is paused is not made up for.`,
      params: ruleParams,
      body: api.change,
      reply: api.reply,
      problems: [...api.problems, 'rule_ended', 'schedule_over', 'busy'],
      handle: async ({ principal: { walletId }, params: { id }, body }) => {
        const changed = await changeRule(
          deps,
          kind,
          { walletId, id },
          { status: body.status, define: (rule) => redefined(api, rule, body) },
        )
        return { body: await showOne(api, changed) }
      },
    }),
    route({
      method: 'DELETE',
      path: `${path}/{id}`,
      access,
      tag,
      summary: `End ${api.noun}. What it has done stays.`,
      params: ruleParams,
      reply: api.reply,
      problems: ['rule_ended', 'busy'],
      handle: async ({ principal: { walletId }, params: { id } }) => ({
        body: await showOne(api, await cancelRule(deps, kind, { walletId, id })),
      }),
    }),
  ]
}

/** Whatever is known of its rate or asset by now, a rule can be paused. */
function redefined<Definition, Request, Change extends RuleSwitch, Body>(
  { kind, redefine }: RuleApi<Definition, Request, Change, Body>,
  rule: Rule,
  change: Change,
): Promise<Definition> {
  const read = kind.read(rule)
  const onlyPauses = change.status === 'paused' && Object.keys(change).length === 1
  return onlyPauses ? Promise.resolve(read.definition) : redefine(read, change)
}

/** Of the parsed request, whose members are in the schema's order: two ask for the same if they say the same. */
function requestHash(kind: string, request: unknown): Buffer {
  return hash('sha256', JSON.stringify([kind, request]), 'buffer').subarray(0, REQUEST_HASH_BYTES)
}

async function showOne<Definition, Request, Change extends RuleSwitch, Body>(
  { kind, show }: Pick<RuleApi<Definition, Request, Change, Body>, 'kind' | 'show'>,
  rule: Rule,
): Promise<Body> {
  const [body] = await show([kind.read(rule)])
  if (body === undefined) throw new Error(`rule ${rule.id} is not shown`)
  return body
}

/** A page. A cursor is the last rule's id, which says nothing of others'. */
async function showList<Definition, Request, Change extends RuleSwitch, Body>(
  deps: KeepDeps,
  { kind, show }: RuleApi<Definition, Request, Change, Body>,
  walletId: bigint,
  { status, cursor, limit }: RulesQuery,
): Promise<{ items: Body[]; nextCursor: string | null }> {
  if (cursor !== undefined && !UUID.test(cursor)) throw new Problem('invalid_cursor')
  const given = {
    walletId,
    kind: kind.name,
    status: status ?? null,
    before: cursor ?? null,
    limit: limit + 1,
  }
  const found = await listRules(deps.db, given)
  const page = found.slice(0, limit)
  const items = await show(page.map((rule) => kind.read(rule)))
  return { items, nextCursor: found.length > limit ? (page.at(-1)?.id ?? null) : null }
}

async function showRuns(deps: KeepDeps, { id }: Rule, { cursor, limit }: RuleRunsQuery): Promise<RuleRuns> {
  if (cursor !== undefined && !RUN.test(cursor)) throw new Problem('invalid_cursor')
  const below = cursor === undefined ? null : Number(cursor)
  const found = await readExecutions(deps.db, id, { below, limit: limit + 1 })
  const page = found.slice(0, limit)
  return {
    items: page.map((execution) => ({
      run: execution.run,
      plannedFor: execution.plannedFor?.toISOString() ?? null,
      at: execution.endedAt.toISOString(),
      outcome: execution.outcome,
      reason: execution.reason,
      operationId: execution.journalId,
    })),
    nextCursor: found.length > limit ? `${page.at(-1)?.run ?? ''}` : null,
  }
}
