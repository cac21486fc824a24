import { isServerError, type Database, type Queryable } from '#db'
import { isSane, keyOf, type CandleDraft } from './judge-candle.ts'
import { Turn } from './providers/take-turns.ts'

export interface CopiedCandles {
  readonly stored: number
  readonly refused: readonly CandleDraft[]
}

interface Range {
  readonly instrumentId: number
  readonly firstMs: number
  lastMs: number
}

/** Fewer are not worth a look at what is held. */
const ROWS_MIN = 500
/** More instruments than this are rather a day of the market, whose rows are looked up one by one anyhow. */
const INSTRUMENTS_MAX = 50
const UNIQUE_VIOLATION = '23505'

/**
 * Stores a past that is new by COPY, which costs the database two thirds of an insert, and a third of `on conflict`.
 * @returns null where it is not that: some of it is held already, or it is not in order
 */
export async function copyCandles(
  db: Database,
  source: { readonly id: number; readonly span: number },
  drafts: readonly CandleDraft[],
): Promise<CopiedCandles | null> {
  if (drafts.length < ROWS_MIN) return null
  const ranges = rangesInOrder(drafts)
  if (ranges === null || (await isHeld(db, source, ranges))) return null
  const refused: CandleDraft[] = []
  try {
    const stored = await db.copyIn(
      COPY,
      linesOf(source, drafts, (draft) => refused.push(draft)),
    )
    return { stored, refused }
  } catch (error) {
    // Another writer came in between.
    if (isServerError(error) && error.code === UNIQUE_VIOLATION) return null
    throw error
  }
}

/**
 * From when until when of each instrument; null where the rows are not in the order in which all writers write, so
 * that two of them never wait for each other in a circle. What is in order holds nothing twice.
 */
function rangesInOrder(drafts: readonly CandleDraft[]): Range[] | null {
  const ranges: Range[] = []
  let lastKey = 0
  for (const draft of drafts) {
    const key = keyOf(draft)
    if (!(key > lastKey)) return null
    lastKey = key
    const { instrumentId } = draft
    const range = ranges.at(-1)
    const atMs = draft.startAt.getTime()
    if (range?.instrumentId === instrumentId) range.lastMs = atMs
    else if (ranges.length === INSTRUMENTS_MAX) return null
    else ranges.push({ instrumentId, firstMs: atMs, lastMs: atMs })
  }
  return ranges
}

async function isHeld(
  q: Queryable,
  source: { readonly id: number; readonly span: number },
  ranges: readonly Range[],
): Promise<boolean> {
  const { rows } = await q.query<{ held: boolean }>({
    name: 'candles-held',
    text: `select exists (select from unnest($3::int[], $4::float8[], $5::float8[]) as range (id, first_ms, last_ms),
                  lateral (select from market_data.candles
                            where instrument_id = range.id and span = $2 and source = $1
                              and at between to_timestamp(first_ms / 1000) and to_timestamp(last_ms / 1000)
                            limit 1) as hit) as held`,
    values: [
      source.id,
      source.span,
      ranges.map(({ instrumentId }) => instrumentId),
      ranges.map(({ firstMs }) => firstMs),
      ranges.map(({ lastMs }) => lastMs),
    ],
  })
  return rows[0]?.held !== false
}

const COPY =
  'copy market_data.candles (instrument_id, span, source, at, open, high, low, close, volume) from stdin'
const CHUNK_CHARS = 32_768

/** In the text format of COPY. What is sane is of digits and points, so nothing has to be escaped. */
async function* linesOf(
  { id, span }: { readonly id: number; readonly span: number },
  drafts: readonly CandleDraft[],
  refuse: (draft: CandleDraft) => void,
): AsyncGenerator<Buffer> {
  const turn = new Turn()
  let text = ''
  for (const draft of drafts) {
    if (isSane(draft)) {
      const { instrumentId, startAt, open, high, low, close, volume } = draft
      text += `${instrumentId}\t${span}\t${id}\t${startAt.toISOString()}\t${open}\t${high}\t${low}\t${close}\t${volume}\n`
    } else refuse(draft)
    if (text.length >= CHUNK_CHARS) {
      yield Buffer.from(text, 'latin1')
      text = ''
    }
    // Somebody who opened a chart may be waiting for it: others get their turns, and it has no rest.
    if (turn.isOver()) await turn.pass()
  }
  yield Buffer.from(text, 'latin1')
}
