import { payees, payeesQuery, transfer, transferRequest } from '@kantor/contract/api'
import type { Payee } from '@kantor/contract/api'
import type { Database } from '#db'
import { route } from '#http'
import type { Route } from '#http'
import { findCustomerByHandleOrEmail, maskName } from '#identity'
import type { Ledger } from '#ledger'
import type { AssetBook } from '#wallets'
import { findPeople } from './people.ts'
import type { MoveHoldings } from './post-shares.ts'
import { sendTransfer } from './send-transfer.ts'

export interface TransferDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  /** Called when shares are sent, in the tx of the posting. */
  readonly moveHoldings?: MoveHoldings
}

export function transferRoutes(deps: TransferDeps): Route[] {
  const people = findPeople(deps.db)
  return [
    route({
      method: 'GET',
      path: '/payees',
      access: 'read',
      tag: 'transfers',
      summary:
        'Whom a handle or an e-mail address names, exactly; the name is masked. Nobody, and oneself, is an empty list.',
      query: payeesQuery,
      reply: payees,
      handle: async ({ principal, query }) => ({
        body: { items: await findPayees(deps.db, principal.walletId, query.q), nextCursor: null },
      }),
    }),
    route({
      method: 'POST',
      path: '/transfers',
      access: 'transfer',
      tag: 'transfers',
      summary: 'Send an amount of any held asset to another customer, by handle or e-mail address.',
      body: transferRequest,
      reply: transfer,
      status: 201,
      idempotent: true,
      problems: [
        'unknown_asset',
        'asset_frozen',
        'amount_not_positive',
        'amount_too_large',
        'insufficient_funds',
        'payee_not_found',
        'payee_is_self',
        'idempotency_key_reused',
        'busy',
      ],
      handle: ({ principal, body, idempotencyKey }) =>
        sendTransfer({ ...deps, people }, principal.walletId, body, idempotencyKey),
    }),
  ]
}

/** Exactly one or nobody, so that the list cannot be used to read through everybody who is here. */
async function findPayees(db: Database, walletId: bigint, reference: string): Promise<Payee[]> {
  const customer = await findCustomerByHandleOrEmail(db, reference)
  if (customer === null || customer.number === walletId) return []
  return [{ handle: customer.handle, name: maskName(customer.name) }]
}
