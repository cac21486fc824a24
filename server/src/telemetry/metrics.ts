import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'

export interface RequestMetrics {
  /** One answered request: `durationMs` from its arrival to the last byte handed to the socket. */
  observe(method: string, route: string, status: number, durationMs: number): void
}

export interface Metrics extends RequestMetrics {
  /** A value read when the metrics are, for example a queue's depth. */
  gauge(name: string, help: string, read: () => number): void
  counter(name: string, help: string): { add(amount?: number): void }
  text(): Promise<{ contentType: string; text: string }>
}

const DURATION_BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createMetrics(): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const durations = new Histogram({
    name: 'kantor_http_request_seconds',
    help: 'Time to answer a request.',
    labelNames: ['method', 'route', 'status'],
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [registry],
  })
  return {
    observe: (method, route, status, durationMs) =>
      durations.labels(method, route, String(status)).observe(durationMs / 1000),
    gauge: (name, help, read) => {
      const gauge: Gauge = new Gauge({ name, help, registers: [registry], collect: () => gauge.set(read()) })
    },
    counter: (name, help) => {
      const counter = new Counter({ name, help, registers: [registry] })
      return { add: (amount = 1) => counter.inc(amount) }
    },
    text: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  }
}
