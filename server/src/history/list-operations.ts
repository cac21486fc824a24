import type { Operations, OperationsQuery } from '@kantor/contract/api'
import { cursorOf, placeOf } from './cursor.ts'
import type { HistoryDeps } from './deps.ts'
import { SEQ_END } from './filter.ts'
import { parseFilter } from './parse-filter.ts'
import { presentOperations } from './present-operation.ts'
import { needsIndex, searchOperations } from './search.ts'

/**
 * A page of one wallet's operations, newest first. Pages are places in the ledger's order, so what is posted
 * meanwhile neither repeats nor hides an operation. A page may be short, even empty, and still have a next one.
 * @throws Problem invalid_request, unknown_asset, invalid_cursor
 */
export async function listOperations(
  deps: HistoryDeps,
  walletId: bigint,
  query: OperationsQuery,
): Promise<Operations> {
  const { cursor, limit } = query
  const list = { ...query, walletId }
  const below = cursor === undefined ? SEQ_END : placeOf(list, cursor)
  const filter = await parseFilter(deps, walletId, query)
  if (filter === null) return { items: [], nextCursor: null }
  const page = await searchOperations(deps.db, filter, { below, limit })
  if (cursor === undefined) deps.indexBuilder.consider(walletId, needsIndex(filter) ? 'searched' : 'read')
  return {
    items: await presentOperations(deps, walletId, page.journals),
    nextCursor: page.below === null ? null : cursorOf(list, page.below),
  }
}
