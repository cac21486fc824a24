import { instrumentRef, lots, lotsQuery, positions, positionsSettings } from '@kantor/contract/api'
import { route } from '#http'
import type { Route } from '#http'
import { z } from 'zod'
import { showLots, showPositions } from './show-positions.ts'
import type { ShowPositionsDeps } from './show-positions.ts'
import { writeMethod } from './position-store.ts'

export type PositionRoutesDeps = ShowPositionsDeps

const params = z.strictObject({ instrument: instrumentRef })

export function positionRoutes(deps: PositionRoutesDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/positions',
      access: 'read',
      tag: 'trading',
      summary:
        'What you hold of instruments and what it earned, by your method of cost basis; positions that were sold come last.',
      reply: positions,
      handle: async ({ principal }) => ({ body: await showPositions(deps, principal.walletId) }),
    }),
    route({
      method: 'GET',
      path: '/positions/{instrument}/lots',
      access: 'read',
      tag: 'trading',
      summary: 'The purchases that a position still consists of, oldest first.',
      params,
      query: lotsQuery,
      reply: lots,
      problems: ['instrument_not_found', 'invalid_cursor'],
      handle: async ({ principal, params: { instrument }, query }) => ({
        body: await showLots(deps, principal.walletId, instrument, query),
      }),
    }),
    route({
      method: 'PATCH',
      path: '/positions/settings',
      access: 'trade',
      tag: 'trading',
      summary:
        'Choose how cost is reckoned: first in first out, or the average. It can be changed back at any time.',
      body: positionsSettings,
      reply: positionsSettings,
      handle: async ({ principal, body }) => {
        await writeMethod(deps.db, principal.walletId, body.method)
        return { body }
      },
    }),
  ]
}
