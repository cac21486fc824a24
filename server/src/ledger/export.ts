import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { ConnectionOptions, Queryable } from '#db'
import { rowsOf } from './cursor.ts'
import { exportWriter, type Assets, type ExportFormat } from './export-formats.ts'
import { refOf, type JournalRow } from './journal-row.ts'
import { longSnapshot } from './long-snapshot.ts'
import { JOURNAL_COLUMNS } from './statements.ts'

export interface ExportRequest {
  format: ExportFormat
  /** Only what was recorded until then, that moment included. */
  asOf?: Date
  out: Writable
}

export interface ExportReport {
  journals: number
}

const CHUNK_CHARACTERS = 64 * 1024

/** Writes the whole journal, oldest first, from one snapshot and in bounded memory; `out` is left open. */
export async function exportLedger(q: Queryable, request: ExportRequest): Promise<ExportReport> {
  const writer = exportWriter(request.format, await readAssets(q))
  const cut = await lastSeqAt(q, request.asOf)
  const sink = bufferedSink(request.out)
  await sink.write(writer.header)
  for await (const { id } of rowsOf<{ id: bigint }>(q, 'export_accounts', accountsQuery)) {
    await sink.write(writer.account(id))
  }
  let journals = 0
  for await (const row of rowsOf<JournalRow>(q, 'export_journals', journalsQuery(cut))) {
    await sink.write(writer.journal(refOf(row)))
    journals += 1
  }
  await sink.flush()
  return { journals }
}

/** One for each wallet and purpose: in these formats an account holds many commodities. */
const accountsQuery = 'select min(id) as id from ledger.accounts group by id >> 27, id & 127 order by 1'

/** A cursor takes no parameters; `cut` is a bigint of our own. */
const journalsQuery = (cut: bigint) => `
  select ${JOURNAL_COLUMNS} from ledger.journals journal where journal.seq <= ${cut} order by journal.seq`

async function readAssets(q: Queryable): Promise<Assets> {
  const { rows } = await q.query<{ id: number; code: string; scale: number }>(
    'select id, code, scale from ledger.assets',
  )
  return new Map(rows.map((asset) => [asset.id, asset]))
}

/** Blocks and times grow together, so a moment is a seq. */
async function lastSeqAt(q: Queryable, asOf: Date | undefined): Promise<bigint> {
  const { rows } = await q.query<{ cut: bigint }>(
    `select coalesce(max(height), 0) * 4096 + 4095 as cut from ledger.blocks
     where sealed_at <= coalesce($1::timestamptz, 'infinity')`,
    [asOf ?? null],
  )
  return rows[0]?.cut ?? 0n
}

/** Few large writes, and none while the reader is behind. */
function bufferedSink(out: Writable): { write(text: string): Promise<void>; flush(): Promise<void> } {
  let buffer = ''
  const flush = async () => {
    const chunk = buffer
    buffer = ''
    if (chunk !== '' && !out.write(chunk)) await once(out, 'drain')
  }
  const write = async (text: string) => {
    buffer += text
    if (buffer.length >= CHUNK_CHARACTERS) await flush()
  }
  return { write, flush }
}

/** On a connection of its own, which may take its time. */
export const runExport = (options: ConnectionOptions & ExportRequest): Promise<ExportReport> =>
  longSnapshot(options, (q) => exportLedger(q, options))
