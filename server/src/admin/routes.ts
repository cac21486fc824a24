import { exposure, providers } from '@kantor/contract/api'
import type { Database } from '#db'
import { route } from '#http'
import type { Route } from '#http'
import { eventRoutes } from './event-routes.ts'
import type { EventRoutesDeps } from './event-routes.ts'
import { jobRoutes } from './job-routes.ts'
import type { JobRoutesDeps } from './job-routes.ts'
import { showExposure } from './show-exposure.ts'
import type { ExposureDeps } from './show-exposure.ts'
import { showProviders } from './show-providers.ts'
import type { ProvidersDeps } from './show-providers.ts'

export interface AdminDeps extends JobRoutesDeps, EventRoutesDeps, ExposureDeps, ProvidersDeps {
  readonly db: Database
}

const tag = 'admin'

/** Every route of the back office. All are for admins: whoever is not is told no more than that. */
export function adminRoutes(deps: AdminDeps): Route[] {
  return [
    ...jobRoutes(deps),
    ...eventRoutes(deps),
    route({
      method: 'GET',
      path: '/admin/providers',
      access: 'admin',
      tag,
      summary: 'Health, quota and freshness of who tells rates and prices',
      reply: providers,
      handle: async () => ({ body: await showProviders(deps) }),
    }),
    route({
      method: 'GET',
      path: '/admin/exposure',
      access: 'admin',
      tag,
      summary: 'What the house has, and owes its customers, in each currency and stock',
      reply: exposure,
      handle: async () => ({ body: await showExposure(deps) }),
    }),
  ]
}
