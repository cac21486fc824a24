import { streamEvents, streamQuery } from '@kantor/contract/api'
import type { StreamQuery } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import { currencyByCode } from '@kantor/contract/money'
import { streamRoute, type Route } from '#http'
import type { InstrumentBook } from '#market-data'
import type { LiveStream } from './live-stream.ts'
import type { OnScreen } from './stream-market.ts'
import { parsePosition } from './stream-position.ts'

export interface StreamRoutesDeps {
  readonly live: Pick<LiveStream, 'open'>
  readonly instruments: InstrumentBook
}

export function streamRoutes({ live, instruments }: StreamRoutesDeps): Route[] {
  return [
    streamRoute({
      path: '/stream',
      access: 'read',
      tag: 'notifications',
      summary:
        'What happens in your wallet, as it happens: operations, balances, orders, notices, and the prices and rates ' +
        'that you name. Goes on without loss from `Last-Event-ID` or `after`',
      query: streamQuery,
      events: streamEvents,
      problems: [
        'invalid_cursor',
        'unknown_instrument',
        'unknown_asset',
        'same_asset',
        'too_many_streams',
        'busy',
      ],
      open: async ({ principal, stillAllowed, lastEventId, query }, begin) => {
        const from = lastEventId ?? query.after
        const position = from === undefined ? null : parsePosition(from)
        const screen = await screenOf(instruments, query)
        await live.open({ principal, stillAllowed, position, screen }, begin)
      },
    }),
  ]
}

async function screenOf(book: InstrumentBook, query: StreamQuery): Promise<OnScreen> {
  const references = query.instruments ?? []
  const instruments = await Promise.all(
    references.map(async (reference, index) => {
      const found = await book.byIdOrTicker(reference)
      if (found !== null) return found
      const path = `query.instruments.${index}`
      throw new Problem('unknown_instrument', {
        errors: [{ path, message: 'must be an id or ticker of GET /instruments' }],
      })
    }),
  )
  return { instruments, pairs: (query.pairs ?? []).map(pairOf) }
}

function pairOf(pair: string, index: number) {
  const [base = '', counter = ''] = pair.split('/')
  // Its rate is always of this moment: there would be news at every tick.
  if (base === counter) throw new Problem('same_asset')
  if (currencyByCode(base) !== undefined && currencyByCode(counter) !== undefined) return { base, counter }
  const path = `query.pairs.${index}`
  throw new Problem('unknown_asset', {
    errors: [{ path, message: 'must be of two currencies of GET /assets' }],
  })
}
