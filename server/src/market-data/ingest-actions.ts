import { parseRate } from '@kantor/contract/money'
import type { Tx } from '#db'
import { newYorkDate, dayAfter } from './providers/new-york.ts'
import { readPages } from './providers/read-pages.ts'
import type { StockDividend, StockSplit } from './providers/stock-provider.ts'
import type { FeedResult } from './stock-feeds.ts'
import { lockSource, type StockSource } from './stock-source.ts'
import type { StocksDeps } from './stocks-deps.ts'
import { readTickerIds, type TickerIds } from './ticker-ids.ts'

interface DraftBase {
  readonly instrumentId: number
  readonly effectiveOn: string
  /** What makes it the same action when it comes again; its values may then have been corrected. */
  readonly sourceKey: string
}

export type ActionDraft = DraftBase &
  (
    | { readonly kind: 'split'; readonly splitFrom: string; readonly splitTo: string }
    | {
        readonly kind: 'dividend'
        readonly amount: string
        readonly currency: string
        readonly payOn: string | null
      }
    | { readonly kind: 'rename'; readonly ticker: string }
    | { readonly kind: 'delisting'; readonly lastPrice: string | null }
  )

const PAGES_MAX = 60
const FIRST_SINCE_DAYS = 5 * 365
/** Five years of the market's dividends are 150 pages: too many for who has five requests a minute. */
const FIRST_SINCE_DAYS_METERED = 400
/** Providers correct and add late; far enough back for both. */
const AGAIN_DAYS = 60
const REFRESH_HOURS = 6

/**
 * Splits and dividends since a while before the last time. What is known already stays one row; what was ahead and is
 * announced no longer is withdrawn.
 */
export async function ingestActions(
  deps: StocksDeps,
  source: StockSource,
  reachedOn: string | null,
  signal: AbortSignal,
): Promise<FeedResult> {
  const now = deps.clock()
  const today = newYorkDate(now.getTime())
  const metered = source.entitlement?.requestsPerMinute != null
  const firstDays = metered ? FIRST_SINCE_DAYS_METERED : FIRST_SINCE_DAYS
  const since = dayAfter(reachedOn ?? today, reachedOn === null ? -firstDays : -AGAIN_DAYS)
  const ids = await readTickerIds(deps.db)
  const drafts: ActionDraft[] = []
  let refused = 0
  const query = (cursor: string | undefined) => ({ since, ...(cursor === undefined ? {} : { cursor }) })
  for await (const page of readPages(
    (cursor) => deps.provider.splits(query(cursor), { signal }),
    PAGES_MAX,
  )) {
    drafts.push(...page.items.flatMap((split) => splitDraft(split, ids) ?? []))
    refused += page.refused.length
  }
  for await (const page of readPages(
    (cursor) => deps.provider.dividends(query(cursor), { signal }),
    PAGES_MAX,
  )) {
    drafts.push(...dividendDrafts(page.items, ids))
    refused += page.refused.length
  }
  const stored = await deps.db.transaction(async (tx) => {
    await lockSource(tx, source.id)
    const added = await insertActions(tx, source.id, drafts, now)
    // A row that could not be read may be any.
    return added + (refused === 0 ? await withdrawActions(tx, source.id, { drafts, since }, deps.clock()) : 0)
  })
  const nextAt = new Date(now.getTime() + REFRESH_HOURS * 3_600_000)
  return { nextAt, stored, refused, reachedOn: today }
}

/** A ratio past this is a broken row: the largest reverse split known is some thousands. */
const RATIO_MAX = 100_000n

function splitDraft(split: StockSplit, ids: TickerIds): ActionDraft | null {
  const instrumentId = ids.idOf(split.ticker, split.exDate)
  const [from, to] = [parseRate(split.from), parseRate(split.to)]
  if (instrumentId === null || !from.ok || !to.ok) return null
  const [up, down] = [to.rate.numerator * from.rate.denominator, from.rate.numerator * to.rate.denominator]
  if (up === down || up > down * RATIO_MAX || down > up * RATIO_MAX) return null
  return {
    kind: 'split',
    instrumentId,
    effectiveOn: split.exDate,
    sourceKey: `split:${instrumentId}:${split.exDate}`,
    splitFrom: split.from,
    splitTo: split.to,
  }
}

/** Several dividends of one kind can have one ex-date (regular and special), so the kind is part of the key. */
function dividendDrafts(dividends: readonly StockDividend[], ids: TickerIds): ActionDraft[] {
  const times = new Map<string, number>()
  return dividends.flatMap((dividend): ActionDraft[] => {
    const instrumentId = ids.idOf(dividend.ticker, dividend.exDate)
    const amount = parseRate(dividend.amount)
    if (instrumentId === null || !amount.ok || !/^[A-Z]{3}$/.test(dividend.currency)) return []
    const key = `dividend:${instrumentId}:${dividend.exDate}:${dividend.type}`
    const time = (times.get(key) ?? 0) + 1
    times.set(key, time)
    return [
      {
        kind: 'dividend',
        instrumentId,
        effectiveOn: dividend.exDate,
        sourceKey: time === 1 ? key : `${key}:${time}`,
        amount: dividend.amount,
        currency: dividend.currency,
        payOn: dividend.payDate,
      },
    ]
  })
}

/**
 * Stores what is new. An action that is known with other values is a correction: a new row that names the one it
 * corrects. The caller holds the source's lock, so ids are in the order of commit.
 * @returns how many rows were added
 */
export async function insertActions(
  tx: Tx,
  sourceId: number,
  drafts: readonly ActionDraft[],
  now: Date,
): Promise<number> {
  if (drafts.length === 0) return 0
  const unique = [...new Map(drafts.map((draft) => [draft.sourceKey, draft])).values()]
  const { rowCount } = await tx.query(
    `insert into market_data.corporate_actions
            (instrument_id, kind, effective_on, source, source_key, revision, corrects,
             split_from, split_to, amount, currency, pay_on, ticker, last_price, recorded_at)
     select new."instrumentId", new.kind, new."effectiveOn", $2, new."sourceKey",
            coalesce(held.revision, 0) + 1, held.id,
            new."splitFrom", new."splitTo", new.amount, new.currency, new."payOn", new.ticker, new."lastPrice", $3
       from rows from (jsonb_to_recordset($1::jsonb)
            as ("instrumentId" int, kind text, "effectiveOn" date, "sourceKey" text, "splitFrom" numeric,
                "splitTo" numeric, amount numeric, currency text, "payOn" date, ticker text, "lastPrice" numeric))
            with ordinality as new
       left join lateral (
         select * from market_data.corporate_actions
          where source = $2 and source_key = new."sourceKey" order by revision desc limit 1) held on true
      where held.id is null
         or (held.split_from, held.split_to, held.amount, held.currency, held.pay_on)
            is distinct from (new."splitFrom", new."splitTo", new.amount, new.currency, new."payOn")
         or held.withdrawn
      order by new."effectiveOn", new.ordinality`,
    [JSON.stringify(unique), sourceId, now],
  )
  return rowCount ?? 0
}

/** A list that lacks more than a tenth of what is ahead is rather a broken list. */
const WITHDRAWN_ALWAYS_FINE = 3

/**
 * What is still to be done and not in the whole list any more was called off, or put off to another day: it would be
 * posted beside what took its place. A dividend is still to be done until it is paid. What is done stays, and so does
 * what is of before the list. Should it come back it is one more correction.
 * @returns how many
 */
async function withdrawActions(
  tx: Tx,
  sourceId: number,
  { drafts, since }: { readonly drafts: readonly ActionDraft[]; readonly since: string },
  now: Date,
): Promise<number> {
  // An answer without any row of a kind says nothing of that kind.
  const kinds = [...new Set(drafts.map(({ kind }) => kind))]
  const { rowCount } = await tx.query(
    `with ahead as (
       select * from (
         select distinct on (source_key) * from market_data.corporate_actions
          where source = $1 and kind = any($2) and effective_on >= $7
            and greatest(pay_on, effective_on) > $3
          order by source_key, revision desc) newest
        where not withdrawn),
     missing as (select * from ahead where source_key <> all($4))
     insert into market_data.corporate_actions
            (instrument_id, kind, effective_on, source, source_key, revision, corrects,
             split_from, split_to, amount, currency, pay_on, withdrawn, recorded_at)
     select instrument_id, kind, effective_on, source, source_key, revision + 1, id,
            split_from, split_to, amount, currency, pay_on, true, $5
       from missing
      where (select count(*) from missing) <= greatest($6, (select count(*) from ahead) / 10)
      order by id`,
    [
      sourceId,
      kinds,
      newYorkDate(now.getTime()),
      drafts.map(({ sourceKey }) => sourceKey),
      now,
      WITHDRAWN_ALWAYS_FINE,
      since,
    ],
  )
  return rowCount ?? 0
}
