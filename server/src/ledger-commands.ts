import { createWriteStream } from 'node:fs'
import type { Config } from '#config'
import { EXPORT_FORMATS, runExport, runVerify } from '#ledger'
import type { ExportFormat, VerifyProgress } from '#ledger'
import { CommandError, parseCommand, reachForCommand } from './command-line.ts'

function connectionOf(url: string, applicationName: string) {
  return { url, applicationName, role: 'kantor_app' as const }
}

const PROGRESS_EVERY_MS = 1_000

/** A line on a terminal that is written over; a line a second elsewhere. */
function progressLine(): (progress: VerifyProgress) => void {
  let shownAt = 0
  return ({ stage, done, total }) => {
    const now = Date.now()
    if (done < total && now - shownAt < PROGRESS_EVERY_MS) return
    shownAt = now
    const percent = total === 0n ? 100n : (done * 100n) / total
    process.stderr.write(
      `${process.stderr.isTTY ? '\r' : ''}${stage}: ${done} of ${total} (${percent} %)${process.stderr.isTTY && done < total ? '' : '\n'}`,
    )
  }
}

/** `npm run verify`: proves the ledger from its journals. 0 when everything holds, 1 with the first break. */
export async function verifyCommand(config: Config, args: string[]): Promise<number> {
  const { values } = parseCommand(args, { 'expect-head': { type: 'string' } })
  const expectedHead = parseHead(values['expect-head'])
  const database = await reachForCommand(config)
  try {
    const report = await runVerify({
      ...connectionOf(database.url, 'kantor-verify'),
      onProgress: progressLine(),
      ...(expectedHead === null ? {} : { expectedHead }),
    })
    const { firstBreak, blocks, journals, entries, accounts, head } = report
    console.log(`${blocks} blocks, ${journals} journals, ${entries} entries, ${accounts} accounts`)
    console.log(`head ${head.height}:${head.hash}`)
    if (firstBreak === null) {
      console.log('The ledger holds.')
      return 0
    }
    console.log(
      `BROKEN at ${firstBreak.height === null ? 'no block' : `block ${firstBreak.height}`}: ${firstBreak.what}`,
    )
    return 1
  } finally {
    await database.stop()
  }
}

function parseHead(text: string | undefined): { height: bigint; hash: string } | null {
  if (text === undefined) return null
  const [, height, hash] = /^([0-9]{1,18}):([0-9a-f]{64})$/.exec(text) ?? []
  if (height === undefined || hash === undefined) {
    throw new CommandError('--expect-head wants what verify printed before: HEIGHT:HASH.')
  }
  return { height: BigInt(height), hash }
}

/** `npm run export -- --format hledger [--as-of T] [--out FILE]`: the whole journal at full precision. */
export async function exportCommand(config: Config, args: string[]): Promise<number> {
  const { values } = parseCommand(args, {
    format: { type: 'string' },
    'as-of': { type: 'string' },
    out: { type: 'string' },
  })
  const format = EXPORT_FORMATS.find((name) => name === values.format)
  if (format === undefined) throw new CommandError(`--format must be one of ${EXPORT_FORMATS.join(', ')}.`)
  const asOf = parseMoment(values['as-of'])
  const database = await reachForCommand(config)
  const out = values.out === undefined ? process.stdout : createWriteStream(values.out, { mode: 0o600 })
  try {
    await runExport({
      ...connectionOf(database.url, 'kantor-export'),
      format: format satisfies ExportFormat,
      out,
      ...(asOf === null ? {} : { asOf }),
    })
    if (out !== process.stdout)
      await new Promise<void>((resolve, reject) =>
        out.end((error?: Error | null) => (error ? reject(error) : resolve())),
      )
    return 0
  } finally {
    await database.stop()
  }
}

function parseMoment(text: string | undefined): Date | null {
  if (text === undefined) return null
  const moment = new Date(text)
  if (!/^\d{4}-\d{2}-\d{2}(T.+(Z|[+-]\d{2}:\d{2}))?$/.test(text) || Number.isNaN(moment.getTime())) {
    throw new CommandError('--as-of wants a moment with its offset, such as 2026-03-01T12:00:00Z, or a day.')
  }
  return moment
}
