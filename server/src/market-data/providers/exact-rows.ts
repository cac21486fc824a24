import { setImmediate as nextTurn } from 'node:timers/promises'
import { parseExactJson } from './exact-json.ts'

/** Parsing so many rows takes about 5 ms: other requests are answered in between. */
const ROWS_AT_ONCE = 500

/** A row that holds no other object or array, and what follows it. Sticky, so it never searches. */
const FLAT_ROW = /\s*(\{[^{}[\]"]*(?:"[^"\\]*"[^{}[\]"]*)*\})\s*([,\]])/y

/**
 * The body of an answer and its `results`, numbers kept exactly. A market's day is 2 MB and 12,000 rows, whose
 * parsing in one go would stop the whole process for a tenth of a second; flat rows are therefore cut apart by
 * text and parsed in slices. Whatever is not of that simple shape is parsed in one go.
 * @throws ProviderError `not_json`
 */
export async function parseExactRows(text: string): Promise<{ body: unknown; rows: unknown }> {
  const cut = cutRows(text)
  if (cut === null) return whole(text)
  const body = parseExactJson(cut.envelope)
  const rows: unknown[] = []
  for (let first = 0; first < cut.rows.length; first += ROWS_AT_ONCE) {
    if (first > 0) await nextTurn()
    const slice = parseExactJson(`[${cut.rows.slice(first, first + ROWS_AT_ONCE).join(',')}]`)
    if (Array.isArray(slice)) rows.push(...(slice as unknown[]))
  }
  return { body, rows }
}

function whole(text: string): { body: unknown; rows: unknown } {
  const body = parseExactJson(text)
  const rows = typeof body === 'object' && body !== null && 'results' in body ? body.results : undefined
  return { body, rows }
}

function cutRows(text: string): { envelope: string; rows: string[] } | null {
  const opening = /"results"\s*:\s*\[/.exec(text)
  if (opening === null) return null
  const start = opening.index + opening[0].length
  const rows: string[] = []
  FLAT_ROW.lastIndex = start
  for (;;) {
    const row = FLAT_ROW.exec(text)
    if (row === null) return null
    rows.push(row[1] ?? '')
    if (row[2] === ']') break
  }
  return { envelope: `${text.slice(0, start)}${text.slice(FLAT_ROW.lastIndex - 1)}`, rows }
}
