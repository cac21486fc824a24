import { standingOrder, standingOrderChange, standingOrderRequest } from '@kantor/contract/api'
import type { DryRun, StandingOrder, StandingOrderRequest } from '@kantor/contract/api'
import { formatAmount } from '@kantor/contract/money'
import type { Route } from '#http'
import { customersByNumbers, maskName } from '#identity'
import { ruleRoutes, ruleStateBody, runsOfPastYear } from '#rules'
import type { DefinedRule, KeepDeps, Rule } from '#rules'
import { readAmount } from '#wallets'
import { findPeople } from './people.ts'
import type { People } from './people.ts'
import { judgeTransfer } from './send-transfer.ts'
import type { StandingOrderDefinition, StandingOrderDeps } from './standing-order-rule.ts'

export type StandingOrderRoutesDeps = Pick<StandingOrderDeps, 'db' | 'assets'> &
  KeepDeps & { readonly kind: DefinedRule<StandingOrderDefinition> }

export function standingOrderRoutes(deps: StandingOrderRoutesDeps): Route[] {
  const people = findPeople(deps.db)
  return ruleRoutes(deps, {
    path: '/standing-orders',
    tag: 'transfers',
    access: 'transfer',
    kind: deps.kind,
    noun: 'a standing order',
    summary:
      'Send an amount on a date, or every week or month (the 31st is the last day of each). Funds are checked when it is due.',
    request: standingOrderRequest,
    change: standingOrderChange,
    reply: standingOrder,
    problems: [
      'unknown_asset',
      'amount_not_positive',
      'amount_too_large',
      'payee_not_found',
      'payee_is_self',
    ],
    define: (walletId, request) => define(deps, people, walletId, request),
    redefine: async ({ definition }, { amount, note, schedule }) => {
      const asset = await deps.assets.byId(definition.assetId)
      if (amount !== undefined) readAmount(asset, amount, 'amount')
      return {
        ...definition,
        amount: amount ?? definition.amount,
        note: note === undefined ? definition.note : note === '' ? null : note,
        schedule: schedule ?? definition.schedule,
      }
    },
    show: (rules) => show(deps, rules),
    dryRun: (_walletId, definition) => tryOut(deps, definition),
  })
}

async function define(
  deps: StandingOrderRoutesDeps,
  people: People,
  walletId: bigint,
  { schedule, ...request }: StandingOrderRequest,
): Promise<StandingOrderDefinition> {
  const { money, payee } = await judgeTransfer({ ...deps, people }, walletId, request)
  return {
    payeeWalletId: payee.walletId.toString(),
    assetId: money.assetId,
    amount: request.amount,
    note: request.note === undefined || request.note === '' ? null : request.note,
    schedule,
  }
}

async function show(
  { db, assets }: StandingOrderRoutesDeps,
  rules: readonly Rule<StandingOrderDefinition>[],
): Promise<StandingOrder[]> {
  const definitions = rules.map(({ definition }) => definition)
  const payees = await customersByNumbers(
    db,
    definitions.map(({ payeeWalletId }) => BigInt(payeeWalletId)),
  )
  const known = await assets.byIds(definitions.map(({ assetId }) => assetId))
  return rules.map((rule) => {
    const { payeeWalletId, assetId, amount, note, schedule } = rule.definition
    const [payee, asset] = [payees.get(BigInt(payeeWalletId)), known.get(assetId)]
    if (payee === undefined || asset === undefined) throw new Error(`rule ${rule.id} is of something unknown`)
    const { minor } = readAmount(asset, amount, 'amount')
    return {
      ...ruleStateBody(rule),
      to: { handle: payee.handle, name: maskName(payee.name) },
      asset: asset.code,
      amount: formatAmount(minor, asset.scale),
      note,
      schedule,
    }
  })
}

/** The dates of the past year and their sum: what was sent needs no rate. */
async function tryOut(
  { assets, clock }: StandingOrderRoutesDeps,
  definition: StandingOrderDefinition,
): Promise<DryRun> {
  const now = clock()
  const { from, runs } = runsOfPastYear(definition.schedule, now)
  const asset = await assets.byId(definition.assetId)
  const { minor } = readAmount(asset, definition.amount, 'amount')
  const money = (times: number) => ({
    asset: asset.code,
    amount: formatAmount(minor * BigInt(times), asset.scale),
  })
  return {
    from: from.toISOString(),
    to: now.toISOString(),
    runs: runs.map((at) => ({ at: at.toISOString(), outcome: 'done', from: money(1) })),
    totals: { runs: runs.length, unknown: 0, from: money(runs.length), to: null, averageRate: null },
    today: null,
    data: null,
  }
}
