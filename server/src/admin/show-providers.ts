import type { Providers, RateProviderStatus, StockFeedStatus } from '@kantor/contract/api'
import type { Queryable } from '#db'
import { marketAlarms, providerStatuses, readEntitlement, readFeeds, readStockStream } from '#market-data'
import type { AgeLimits, FeedRecord, ProviderStatus, RateProvider, StockProvider } from '#market-data'

export interface ProvidersDeps {
  readonly db: Queryable
  readonly rateProviders: readonly RateProvider[]
  readonly ageLimits: AgeLimits
  readonly stockProvider: Pick<StockProvider, 'name' | 'simulated'>
  readonly clock: () => Date
}

/** How those are doing who tell rates and prices, and what an operator should look at. */
export async function showProviders(deps: ProvidersDeps): Promise<Providers> {
  const { db, stockProvider } = deps
  const [statuses, alarms, entitlement, feeds, stream] = await Promise.all([
    providerStatuses(db, { ...deps, providers: deps.rateProviders }),
    marketAlarms(db),
    readEntitlement(db, stockProvider.name),
    readFeeds(db, stockProvider.name),
    readStockStream(db, stockProvider.name),
  ])
  return {
    rates: statuses.map(rateProviderBody),
    alarms: {
      divergences: alarms.divergences.map(({ code, times, lastAt, ...apart }) => ({
        ...apart,
        asset: code,
        times: Number(times),
        lastAt: lastAt.toISOString(),
      })),
      waiting: alarms.waiting.map(({ provider, asOf, fetchedAt, jumps }) => ({
        provider,
        asOf: asOf.toISOString(),
        fetchedAt: fetchedAt.toISOString(),
        jumps: jumps.map(({ code, ...jump }) => ({ asset: code, ...jump })),
      })),
    },
    stocks: {
      provider: stockProvider.name,
      simulated: stockProvider.simulated,
      entitlement:
        entitlement === null
          ? null
          : {
              ...entitlement,
              refused: [...entitlement.refused],
              probedAt: entitlement.probedAt.toISOString(),
            },
      feeds: feeds.map(feedBody),
      stream:
        stream === null
          ? null
          : { ...stream, prices: Number(stream.prices), lastEventAt: isoOrNull(stream.lastEventAt) },
    },
  }
}

const isoOrNull = (moment: Date | null): string | null => moment?.toISOString() ?? null
const errorBody = (error: ProviderStatus['error']) =>
  error === null ? null : { ...error, at: error.at.toISOString() }

function rateProviderBody({ error, ...status }: ProviderStatus): RateProviderStatus {
  const { polls, failed, refused, quarantined } = status.counts
  return {
    ...status,
    lastSuccessAt: isoOrNull(status.lastSuccessAt),
    lastAsOf: isoOrNull(status.lastAsOf),
    nextPollAt: isoOrNull(status.nextPollAt),
    lastError: errorBody(error),
    counts: {
      polls: Number(polls),
      failed: Number(failed),
      refused: Number(refused),
      quarantined: Number(quarantined),
    },
    quota: status.quota === null ? null : { ...status.quota, resetsAt: status.quota.resetsAt.toISOString() },
  }
}

function feedBody({ error, ...feed }: FeedRecord): StockFeedStatus {
  return {
    ...feed,
    nextAt: isoOrNull(feed.nextAt),
    lastSuccessAt: isoOrNull(feed.lastSuccessAt),
    lastError: errorBody(error),
    stored: Number(feed.stored),
    refused: Number(feed.refused),
  }
}
