import { randomUUID } from 'node:crypto'
import { runLoad } from './http-load.ts'
import type { BenchCustomer } from './seed-customers.ts'

/** A whole POST as it goes over the wire, with a key of its own. */
export function postOf(path: string, key: string, body: string): string {
  return `POST /api/v1${path} HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${key}\r\nidempotency-key: ${randomUUID()}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

/** Paper money for everybody; the server's WELCOME_GRANT must allow that much at once. */
export async function fundCustomers(
  port: number,
  customers: readonly BenchCustomer[],
  money: { readonly asset: string; readonly amount: string },
): Promise<void> {
  let next = 0
  const body = JSON.stringify(money)
  const funded = await runLoad({
    port,
    connections: 64,
    seconds: 600,
    next: () => {
      const customer = customers[next]
      next += 1
      return customer === undefined ? null : postOf('/wallet/deposits', customer.key, body)
    },
  })
  if (funded.statuses['201'] !== customers.length) throw new Error(`funding failed: ${funded.firstFailure}`)
}
