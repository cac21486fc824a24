import type { Database } from '#db'
import type { DraftRate, RateProvider, RateSnapshotDraft } from './providers/rate-provider.ts'

/** A provider for tests that gives what it is told to. */
export interface ScriptedProvider extends RateProvider {
  answer: () => RateSnapshotDraft | Promise<RateSnapshotDraft>
  asked: number
}

export function scriptedProvider(name: string, more: Partial<RateProvider> = {}): ScriptedProvider {
  const provider: ScriptedProvider = {
    name,
    kind: 'hourly',
    simulated: false,
    intervalSeconds: 3600,
    requestsPerMonth: null,
    configuredAs: 'as first',
    ...more,
    asked: 0,
    answer: () => {
      throw new Error('nothing was scripted')
    },
    latest: async () => {
      provider.asked += 1
      return provider.answer()
    },
  }
  return provider
}

/** `{ USD: '1.16', PLN: '4.2304/3.6056' }` as a draft. */
export function draftOf(
  provider: string,
  asOf: string,
  rates: Record<string, string>,
  more: Partial<RateSnapshotDraft> = {},
): RateSnapshotDraft {
  const entries = Object.entries(rates).map(([code, text]): DraftRate => {
    const [rate = '', per = '1'] = text.split('/')
    return { code, rate, per }
  })
  return { provider, asOf: new Date(asOf), base: 'EUR', rates: entries, ...more }
}

/** Everything stored, as text: what a test compares before and after. */
export async function stored(db: Database): Promise<string[]> {
  const { rows } = await db.query<{ line: string }>(
    `select provider || ' ' || to_char(as_of at time zone 'UTC', 'MM-DD HH24:MI') || ' ' || code || ' ' || rate ||
            case when per = 1 then '' else '/' || per end as line
       from market_data.rate_snapshots join market_data.rates on snapshot_id = id
      order by provider, as_of, fetched_at, code`,
  )
  return rows.map(({ line }) => line)
}

export async function forgetAll(ownerDb: Database): Promise<void> {
  await ownerDb.query(
    `truncate market_data.rate_snapshots, market_data.rates, market_data.providers, market_data.quarantine,
              market_data.divergences restart identity`,
  )
}
