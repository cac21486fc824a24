import { Problem } from '@kantor/contract/errors'
import type { FastifyInstance } from 'fastify'

export interface HealthOptions {
  /** Null when ready; otherwise what is missing, for the log and the reply. */
  readonly notReadyBecause: () => Promise<string | null>
  readonly metricsText: () => Promise<{ contentType: string; text: string }>
}

/** `/health/live` never touches the database; `/health/ready` does; `/metrics` is for Prometheus. */
export function mountHealth(app: FastifyInstance, options: HealthOptions): void {
  app.get('/health/live', async () => ({ status: 'live' }))
  app.get('/health/ready', async () => {
    const reason = await options.notReadyBecause()
    if (reason !== null) throw new Problem('unavailable', { retryAfterSeconds: 2, extensions: { reason } })
    return { status: 'ready' }
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, text } = await options.metricsText()
    return reply.type(contentType).send(text)
  })
}
