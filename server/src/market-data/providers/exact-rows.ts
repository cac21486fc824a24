import { parseExactJson } from './exact-json.ts'
import { takeTurns } from './take-turns.ts'

/** Parsing so many rows takes a fraction of a millisecond. */
const ROWS_AT_ONCE = 20

/** A row that holds no other object or array, and what follows it. Sticky, so it never searches. */
const FLAT_ROW = /\s*\{[^{}[\]"]*(?:"[^"\\]*"[^{}[\]"]*)*\}\s*[,\]]/y

/**
 * The body of an answer and its `results`, numbers kept exactly. A market's day is 2 MB and 12,000 rows, whose
 * parsing in one go would stop the whole process for a tenth of a second; flat rows are therefore cut apart by
 * text, and parsed when they are looked at. Whatever is not of that simple shape is parsed in one go.
 * @throws ProviderError `not_json`
 */
export async function parseExactRows(
  text: string,
): Promise<{ readonly body: unknown; readonly rows: CutRows | unknown }> {
  const opening = /"results"\s*:\s*\[/.exec(text)
  if (opening === null) return whole(text)
  const start = opening.index + opening[0].length
  const rows = new CutRows(text, start)
  await takeTurns(slicesFrom(text, start), (slice) => rows.add(slice))
  const { end } = rows
  if (text[end - 1] !== ']') return whole(text)
  return { body: parseExactJson(`${text.slice(0, start)}${text.slice(end - 1)}`), rows }
}

function whole(text: string): { body: unknown; rows: unknown } {
  const body = parseExactJson(text)
  const rows = typeof body === 'object' && body !== null && 'results' in body ? body.results : undefined
  return { body, rows }
}

interface Slice {
  readonly endsAt: number
  readonly rows: number
}

/** Rows as text. None is kept once it was looked at: what lives on is what costs the collector. */
export class CutRows implements Iterable<unknown> {
  private readonly text: string
  private readonly start: number
  private readonly ends: number[] = []
  length = 0

  constructor(text: string, start: number) {
    this.text = text
    this.start = start
  }

  get end(): number {
    return this.ends.at(-1) ?? this.start
  }

  add({ endsAt, rows }: Slice): void {
    this.ends.push(endsAt)
    this.length += rows
  }

  /** @throws ProviderError `not_json` */
  *[Symbol.iterator](): Generator<unknown> {
    let from = this.start
    for (const end of this.ends) {
      const parsed = parseExactJson(`[${this.text.slice(from, end - 1)}]`)
      if (Array.isArray(parsed)) yield* parsed as unknown[]
      from = end
    }
  }
}

/** Ends early where a row is not of the simple shape. */
function* slicesFrom(text: string, start: number): Generator<Slice> {
  let endsAt = start
  for (;;) {
    let rows = 0
    for (; rows < ROWS_AT_ONCE && text[endsAt - 1] !== ']'; rows += 1) {
      FLAT_ROW.lastIndex = endsAt
      if (!FLAT_ROW.test(text)) return
      endsAt = FLAT_ROW.lastIndex
    }
    yield { endsAt, rows }
    if (text[endsAt - 1] === ']') return
  }
}
