import type {
  ConversionOrder,
  ConversionOrderChange,
  ConversionOrderRequest,
  DryRun,
  PriceAlert,
  PriceAlertChange,
  PriceAlertRequest,
  RecurringConversion,
  RecurringConversionChange,
  RecurringConversionRequest,
  StandingOrder,
  StandingOrderChange,
  StandingOrderRequest,
} from '@kantor/contract/api'
import { kantor } from './client.ts'

/** The kinds of rules by where they live below the API: what each is made of, changed by and shown as. */
export interface RuleKinds {
  'conversion-orders': {
    request: ConversionOrderRequest
    change: ConversionOrderChange
    rule: ConversionOrder
  }
  'recurring-conversions': {
    request: RecurringConversionRequest
    change: RecurringConversionChange
    rule: RecurringConversion
  }
  'standing-orders': { request: StandingOrderRequest; change: StandingOrderChange; rule: StandingOrder }
  'price-alerts': {
    request: Omit<PriceAlertRequest, 'repeat'> & { repeat?: boolean }
    change: PriceAlertChange
    rule: PriceAlert
  }
}
export type RuleKind = keyof RuleKinds

export const listRules = (
  kind: RuleKind,
  query: { status: 'open' | 'ended'; cursor?: string; limit?: number },
) => kantor.get(`/${kind}` as const, { query })
export const listRuleRuns = (kind: RuleKind, id: string, query: { cursor?: string; limit?: number }) =>
  kantor.get(`/${kind}/{id}/runs` as const, { path: { id }, query })
export const endRule = (kind: RuleKind, id: string) =>
  kantor.delete(`/${kind}/{id}` as const, { path: { id } })

type Making = {
  [Kind in RuleKind]: (body: RuleKinds[Kind]['request'], idempotencyKey: string) => Promise<unknown>
}
type Trying = { [Kind in RuleKind]: (body: RuleKinds[Kind]['request']) => Promise<DryRun> }

/** Path by path, since each takes a body of its own. */
const making: Making = {
  'conversion-orders': (body, idempotencyKey) => kantor.post('/conversion-orders', { body, idempotencyKey }),
  'recurring-conversions': (body, idempotencyKey) =>
    kantor.post('/recurring-conversions', { body, idempotencyKey }),
  'standing-orders': (body, idempotencyKey) => kantor.post('/standing-orders', { body, idempotencyKey }),
  'price-alerts': (body, idempotencyKey) => kantor.post('/price-alerts', { body, idempotencyKey }),
}
const trying: Trying = {
  'conversion-orders': (body) => kantor.post('/conversion-orders/dry-run', { body }),
  'recurring-conversions': (body) => kantor.post('/recurring-conversions/dry-run', { body }),
  'standing-orders': (body) => kantor.post('/standing-orders/dry-run', { body }),
  'price-alerts': (body) => kantor.post('/price-alerts/dry-run', { body }),
}
export const postRule = <Kind extends RuleKind>(
  kind: Kind,
  body: RuleKinds[Kind]['request'],
  idempotencyKey: string,
) => making[kind](body, idempotencyKey)
export const dryRunRule = <Kind extends RuleKind>(kind: Kind, body: RuleKinds[Kind]['request']) =>
  trying[kind](body)
export const changeRule = <Kind extends RuleKind>(kind: Kind, id: string, body: RuleKinds[Kind]['change']) =>
  kantor.patch(`/${kind as RuleKind}/{id}` as const, { path: { id }, body })
