import type { Queryable } from '#db'

interface ActionBase {
  readonly id: bigint
  readonly instrumentId: number
  /** The action that this one replaces: a provider corrected itself. Null: new. */
  readonly corrects: bigint | null
  /** The provider no longer announces it: it gives nothing. Only of what was ahead when that was seen. */
  readonly withdrawn: boolean
  readonly source: string
  readonly recordedAt: Date
}

/** Days are YYYY-MM-DD; numbers are exact decimal text. */
export type CorporateAction = ActionBase &
  (
    | { readonly kind: 'split'; readonly exDate: string; readonly from: string; readonly to: string }
    | {
        readonly kind: 'dividend'
        readonly exDate: string
        readonly payDate: string | null
        readonly amountPerShare: string
        readonly currency: string
      }
    | {
        readonly kind: 'rename'
        readonly on: string
        /** Null where it was not kept. */
        readonly oldTicker: string | null
        readonly newTicker: string
      }
    | { readonly kind: 'delisting'; readonly on: string; readonly lastPrice: string | null }
  )

interface ActionRow {
  readonly id: bigint
  readonly instrument_id: number
  readonly kind: CorporateAction['kind']
  readonly effective_on: string
  readonly corrects: bigint | null
  readonly withdrawn: boolean
  readonly provider: string
  readonly recorded_at: Date
  readonly split_from: string | null
  readonly split_to: string | null
  readonly amount: string | null
  readonly currency: string | null
  readonly pay_on: string | null
  readonly ticker: string | null
  readonly old_ticker: string | null
  readonly last_price: string | null
}

const COLUMNS = `corporate_actions.id, instrument_id, kind, effective_on, corrects, withdrawn, provider, recorded_at,
  split_from, split_to, amount, currency, pay_on, ticker, last_price,
  case when kind = 'rename' then (
    select former.ticker from market_data.instrument_names former
     where former.instrument_id = corporate_actions.instrument_id and former.until_on = effective_on
     order by former.ticker = corporate_actions.ticker limit 1
  ) end as old_ticker`

/**
 * All actions recorded after that one, in order of commit, corrections too. Only the configured provider's.
 * @param filter.sinceId 0n for all
 */
export async function corporateActions(
  q: Queryable,
  filter: { readonly sinceId: bigint; readonly provider: string; readonly limit?: number },
): Promise<CorporateAction[]> {
  const { rows } = await q.query<ActionRow>(
    `select ${COLUMNS} from market_data.corporate_actions
       join market_data.stock_sources on stock_sources.id = corporate_actions.source
      where corporate_actions.id > $1 and provider = $2 order by corporate_actions.id limit $3`,
    [filter.sinceId, filter.provider, filter.limit ?? 1_000],
  )
  return rows.map(actionOf)
}

/** The actions of instruments as they stand: what was corrected or withdrawn is left out. Oldest first. */
export async function standingActions(
  q: Queryable,
  instrumentIds: readonly number[],
  provider: string,
): Promise<CorporateAction[]> {
  const { rows } = await q.query<ActionRow>({
    name: 'standing-actions',
    text: `select ${COLUMNS} from market_data.corporate_actions
             join market_data.stock_sources on stock_sources.id = corporate_actions.source
            where instrument_id = any($1::int[]) and provider = $2 and not withdrawn
              and not exists (select from market_data.corporate_actions later
                               where later.source = corporate_actions.source
                                 and later.source_key = corporate_actions.source_key
                                 and later.revision > corporate_actions.revision)
            order by effective_on, corporate_actions.id`,
    values: [[...instrumentIds], provider],
  })
  return rows.map(actionOf)
}

function actionOf(row: ActionRow): CorporateAction {
  const base = {
    id: row.id,
    instrumentId: row.instrument_id,
    corrects: row.corrects,
    withdrawn: row.withdrawn,
    source: row.provider,
    recordedAt: row.recorded_at,
  }
  const on = row.effective_on
  if (row.kind === 'split') {
    return { ...base, kind: 'split', exDate: on, from: stored(row.split_from), to: stored(row.split_to) }
  }
  if (row.kind === 'dividend') {
    const [amountPerShare, currency] = [stored(row.amount), stored(row.currency)]
    return { ...base, kind: 'dividend', exDate: on, payDate: row.pay_on, amountPerShare, currency }
  }
  if (row.kind === 'rename') {
    return { ...base, kind: 'rename', on, oldTicker: row.old_ticker, newTicker: stored(row.ticker) }
  }
  return { ...base, kind: 'delisting', on, lastPrice: row.last_price }
}

/** The database's checks say that it is there. */
function stored(text: string | null): string {
  if (text === null) throw new Error('a stored corporate action is incomplete')
  return text
}
