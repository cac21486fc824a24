import { instrumentRef, instruments, watchlistRequest, worthHistory, worthRange } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Queryable } from '#db'
import { route } from '#http'
import type { Route } from '#http'
import { presentInstruments } from '#market-data'
import type { Instrument, InstrumentBook, MarketHours, PriceBook } from '#market-data'
import { z } from 'zod'
import { showWorth } from './show-worth.ts'
import type { ShowWorthDeps } from './show-worth.ts'

export interface WatchlistDeps {
  readonly db: Queryable
  readonly prices: PriceBook
  readonly hours: MarketHours
  readonly instruments: InstrumentBook
  readonly clock: () => Date
}

/** A list to look at; past it one has to be taken off first. */
const WATCHED_MAX = 100
const params = z.strictObject({ instrument: instrumentRef })

export function watchlistRoutes(deps: WatchlistDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/watchlist',
      access: 'read',
      tag: 'trading',
      summary: 'The instruments that you watch, in the order in which you took them up.',
      reply: instruments,
      handle: async ({ principal }) => ({ body: await watchlistBody(deps, principal.walletId) }),
    }),
    route({
      method: 'POST',
      path: '/watchlist',
      access: 'trade',
      tag: 'trading',
      summary: 'Watch an instrument. Watching what is watched changes nothing; a hundred at most.',
      body: watchlistRequest,
      reply: instruments,
      problems: ['instrument_not_found'],
      handle: async ({ principal, body }) => {
        const instrument = await find(deps, body.instrument)
        await addToWatchlist(deps, principal.walletId, instrument.id)
        return { body: await watchlistBody(deps, principal.walletId) }
      },
    }),
    route({
      method: 'DELETE',
      path: '/watchlist/{instrument}',
      access: 'trade',
      tag: 'trading',
      summary: 'Watch it no longer.',
      params,
      reply: instruments,
      problems: ['instrument_not_found'],
      handle: async ({ principal, params: { instrument: reference } }) => {
        const instrument = await find(deps, reference)
        await deps.db.query(`delete from trading.watchlist where wallet_id = $1 and instrument_id = $2`, [
          principal.walletId,
          instrument.id,
        ])
        return { body: await watchlistBody(deps, principal.walletId) }
      },
    }),
  ]
}

export function worthRoutes(deps: ShowWorthDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/wallet/worth',
      access: 'read',
      tag: 'trading',
      summary: 'What the wallet was worth: hourly points of the last week, daily ones before, and now.',
      query: z.strictObject({ range: worthRange.default('1M') }),
      reply: worthHistory,
      handle: async ({ principal, query }) => ({
        body: await showWorth(deps, principal.walletId, query.range),
      }),
    }),
  ]
}

async function find({ instruments: book }: WatchlistDeps, reference: string): Promise<Instrument> {
  const instrument = await book.byIdOrTicker(reference)
  if (instrument === null) throw new Problem('instrument_not_found')
  return instrument
}

async function watchlistBody(deps: WatchlistDeps, walletId: bigint) {
  const { rows } = await deps.db.query<{ instrument_id: number }>(
    `select instrument_id from trading.watchlist where wallet_id = $1 order by added_at, instrument_id limit $2`,
    [walletId, WATCHED_MAX],
  )
  const watched = await Promise.all(rows.map(({ instrument_id: id }) => deps.instruments.byId(id)))
  const items = await presentInstruments(
    deps,
    watched.filter((instrument) => instrument !== null),
  )
  return { items, nextCursor: null }
}

/** Beyond the bound nothing is added: the list that is answered shows it. */
async function addToWatchlist(deps: WatchlistDeps, walletId: bigint, instrumentId: number): Promise<void> {
  await deps.db.query(
    `insert into trading.watchlist (wallet_id, instrument_id, added_at)
     select $1, $2, $3 where (select count(*) from trading.watchlist where wallet_id = $1) < $4
     on conflict do nothing`,
    [walletId, instrumentId, deps.clock(), WATCHED_MAX],
  )
}
