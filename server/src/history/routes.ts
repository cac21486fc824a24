import { operationInFull, operationParams, operations, operationsQuery } from '@kantor/contract/api'
import { route, type Route } from '#http'
import type { HistoryRoutesDeps } from './deps.ts'
import { explainOperation } from './explain-operation.ts'
import { listOperations } from './list-operations.ts'
import { readHistory } from './read-history.ts'

export function historyRoutes(deps: HistoryRoutesDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/operations',
      access: 'read',
      tag: 'history',
      summary:
        'Your operations, newest first; filters narrow each other. Times and amounts include their bounds. ' +
        'A page can be short and still have a nextCursor.',
      query: operationsQuery,
      reply: operations,
      problems: ['unknown_asset', 'invalid_cursor'],
      handle: async ({ principal, query }) => ({
        body: await readHistory(deps, principal.walletId, (db) =>
          listOperations({ ...deps, db }, principal.walletId, query),
        ),
      }),
    }),
    route({
      method: 'GET',
      path: '/operations/{id}',
      access: 'read',
      tag: 'history',
      summary:
        'One operation explained: postings, rate and its source, margin, fee, rounding, and its block.',
      params: operationParams,
      reply: operationInFull,
      problems: ['not_found'],
      handle: async ({ principal, params }) => ({
        body: await readHistory(deps, principal.walletId, (db) =>
          explainOperation({ ...deps, db }, principal.walletId, params.id),
        ),
      }),
    }),
  ]
}
