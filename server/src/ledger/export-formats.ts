import { formatAmount } from '@kantor/contract/money'
import { assetIdOf } from './account-id.ts'
import { accountName, commodityName, quotedCommodity } from './export-names.ts'
import type { JournalRef, Posting } from './types.ts'

export const EXPORT_FORMATS = ['hledger', 'ledger', 'beancount', 'csv', 'jsonl'] as const
export type ExportFormat = (typeof EXPORT_FORMATS)[number]

/** What amounts are written with. */
export type Assets = ReadonlyMap<number, { id: number; code: string; scale: number }>

export interface ExportWriter {
  /** Before the first account and journal. */
  header: string
  /** A line for each account, of whatever asset; empty where the format wants none. */
  account(id: bigint): string
  journal(journal: JournalRef): string
}

/** A writer for the format; it keeps nothing of what it wrote. */
export function exportWriter(format: ExportFormat, assets: Assets): ExportWriter {
  switch (format) {
    case 'hledger':
    case 'ledger':
      return plainText(assets)
    case 'beancount':
      return beancount(assets)
    case 'csv':
      return csv(assets)
    case 'jsonl':
      return jsonl(assets)
  }
}

function assetOf(assets: Assets, accountId: bigint): { id: number; code: string; scale: number } {
  const asset = assets.get(assetIdOf(accountId))
  if (asset === undefined) throw new Error(`account ${accountId} holds an asset that does not exist`)
  return asset
}

/** All digits of the scale, so that the tools balance at full precision and need no commodity directive. */
function amountOf(assets: Assets, { from, amount }: Posting): string {
  return formatAmount(amount, assetOf(assets, from).scale)
}

/** Each posting is a pair of lines that balances by itself, the giver first. */
function pairs(journal: JournalRef, assets: Assets, commodity: (name: string) => string): string {
  return journal.postings
    .map((posting) => {
      const amount = `${amountOf(assets, posting)} ${commodity(commodityName(assetOf(assets, posting.from)))}`
      return `    ${accountName(posting.from)}  -${amount}\n    ${accountName(posting.to)}  ${amount}\n`
    })
    .join('')
}

const dayOf = (time: Date) => time.toISOString().slice(0, 10)

/** One dialect that hledger and ledger both read. */
function plainText(assets: Assets): ExportWriter {
  return {
    header: '; Kantor, whole journal. Dates are those of recording, in UTC.\n',
    account: () => '',
    journal: (journal) =>
      `\n${dayOf(journal.recordedAt)} * (${journal.id}) ${journal.kind}\n` +
      `    ; recorded: ${journal.recordedAt.toISOString()}\n` +
      `    ; effective: ${journal.effectiveAt.toISOString()}\n` +
      pairs(journal, assets, quotedCommodity),
  }
}

/** The tolerance is set to nothing: what does not balance to the last digit is an error. */
function beancount(assets: Assets): ExportWriter {
  return {
    header:
      '; Kantor, whole journal. Dates are those of recording, in UTC.\n' +
      'option "title" "Kantor"\noption "inferred_tolerance_multiplier" "0"\n',
    account: (id) => `1970-01-01 open ${accountName(id)}\n`,
    journal: (journal) =>
      `\n${dayOf(journal.recordedAt)} * "${journal.kind}" "${journal.id}"\n` +
      `  recorded: "${journal.recordedAt.toISOString()}"\n` +
      `  effective: "${journal.effectiveAt.toISOString()}"\n` +
      pairs(journal, assets, (name) => name),
  }
}

/** RFC 4180; nothing in a row ever needs a quote except a ticker. */
function csv(assets: Assets): ExportWriter {
  const columns = [
    'journal',
    'seq',
    'recordedAt',
    'effectiveAt',
    'kind',
    'posting',
    'from',
    'to',
    'amount',
    'asset',
  ]
  return {
    header: `${columns.join(',')}\r\n`,
    account: () => '',
    journal: (journal) => {
      const { id, seq, recordedAt, effectiveAt, kind } = journal
      const head = [id, seq, recordedAt.toISOString(), effectiveAt.toISOString(), kind].join(',')
      return journal.postings
        .map((posting, index) => {
          const { code } = assetOf(assets, posting.from)
          const sides = `${accountName(posting.from)},${accountName(posting.to)}`
          return `${head},${index + 1},${sides},${amountOf(assets, posting)},${csvField(code)}\r\n`
        })
        .join('')
    },
  }
}

function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** The only format that carries the detail, so the only one from which everything can be explained. */
function jsonl(assets: Assets): ExportWriter {
  return {
    header: '',
    account: () => '',
    journal: (journal) => {
      const { id, seq, blockHeight, recordedAt, effectiveAt, kind, scope, reverses, detail } = journal
      const postings = journal.postings.map((posting) => ({
        from: accountName(posting.from),
        to: accountName(posting.to),
        amount: amountOf(assets, posting),
        asset: assetOf(assets, posting.from).code,
      }))
      const line = { id, seq: `${seq}`, blockHeight: `${blockHeight}`, recordedAt, effectiveAt, kind }
      return `${JSON.stringify({ ...line, scope: `${scope}`, reverses, postings, detail })}\n`
    },
  }
}
