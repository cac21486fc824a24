import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { promisify } from 'node:util'
import { accountId, declareAssets, PURPOSE, runExport, type ExportFormat } from '#ledger'
import { testDatabase } from '#test/harness'
import { available, deposit, EUR, funding, JPY, posted, testLedger, transfer } from '#test/test-ledger'
import { formatAmount } from '@kantor/contract/money'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accountName, commodityName } from './export-names.ts'

const database = await testDatabase()
const { db } = database
const ledger = await testLedger(database)
const directory = await mkdtemp(join(tmpdir(), 'kantor-export-'))
afterAll(() => rm(directory, { recursive: true, force: true }))

const BTC = 1001
const BRK_B = 10_001
const FORD = 10_002
let middle = new Date(0)

/** Every scale from 0 to 9, a ticker with a dot and one of a single letter, the largest amount, several postings. */
beforeAll(async () => {
  const instrument = { kind: 'instrument' as const, scale: 9 }
  await declareAssets(db, [
    { ...instrument, id: BRK_B, code: 'BRK.B', name: 'Berkshire Hathaway B' },
    { ...instrument, id: FORD, code: 'F', name: 'Ford' },
  ])
  let key = 0
  const assets = [EUR, JPY, 48, 990, BTC, BRK_B, FORD]
  for (const assetId of assets) {
    posted(await ledger.post(deposit(`d${(key += 1)}`, available(1_000, assetId), 1_000_000_000_007n)))
  }
  posted(await ledger.post(deposit('max', available(1_001, BTC), 2n ** 62n)))
  middle = posted(await ledger.post(transfer('t', available(1_000), available(1_001), 1n))).recordedAt
  await new Promise((resolve) => setTimeout(resolve, 5))
  const conversion = (assetId: number) => accountId({ walletId: 1n, assetId, purpose: PURPOSE.conversion })
  const fees = accountId({ walletId: 1n, assetId: EUR, purpose: PURPOSE.fees })
  const convert = transfer('c', available(1_000), conversion(EUR), 1_234_567n)
  const postings = [
    ...convert.postings,
    { from: conversion(JPY), to: available(1_000, JPY), amount: 7n },
    { from: available(1_000), to: fees, amount: 3n },
  ]
  const opens = postings.flatMap(({ from, to }) => [from, to])
  posted(await ledger.post({ ...convert, kind: 'conversion', postings, opens, detail: { rate: '1/3' } }))
})

async function exported(format: ExportFormat, asOf?: Date): Promise<string> {
  const chunks: string[] = []
  const out = new Writable({
    write: (chunk, _, done) => {
      chunks.push(String(chunk))
      done()
    },
  })
  const options = { url: database.url, applicationName: 'test-export', format, out }
  await runExport(asOf === undefined ? options : { ...options, asOf })
  return chunks.join('')
}

/** `account commodity` → amount, without what is zero: what every tool must come to. */
async function ledgerBalances(): Promise<Record<string, string>> {
  const { rows } = await db.query<{
    id: bigint
    balance: bigint
    asset: number
    code: string
    scale: number
  }>(
    `select accounts.id, balance, assets.id as asset, code, scale from ledger.accounts
     join ledger.assets on assets.id = (accounts.id >> 7) & 1048575 where balance <> 0`,
  )
  const lines = rows.map(({ id, balance, asset, code, scale }) => [
    `${accountName(id)} ${commodityName({ id: asset, code })}`,
    formatAmount(balance, scale),
  ])
  return Object.fromEntries(lines) as Record<string, string>
}

const run = promisify(execFile)

/** A tool that is missing is named; in CI it is a failure. */
async function hasTool(tool: string): Promise<boolean> {
  const found = await run('which', [tool]).then(
    () => true,
    () => false,
  )
  if (!found && process.env['CI'] === 'true') throw new Error(`${tool} is missing`)
  if (!found) console.warn(`NOT RUN: ${tool} is not installed, so it has not judged the export`)
  return found
}

async function fileOf(format: ExportFormat, asOf?: Date): Promise<string> {
  const path = join(directory, `export.${format}`)
  await writeFile(path, await exported(format, asOf))
  return path
}

function record(lines: [account: string, commodity: string, amount: string][]): Record<string, string> {
  const balances = lines.map(([account, commodity, amount]) => [
    `${account} ${commodity.replaceAll('"', '')}`,
    amount,
  ])
  return Object.fromEntries(balances.filter(([, amount]) => !/^-?0(\.0*)?$/.test(amount ?? ''))) as Record<
    string,
    string
  >
}

describe('accounting tools accept the export and come to the same balances', async () => {
  it.runIf(await hasTool('hledger'))('hledger', async () => {
    const file = await fileOf('hledger')
    await run('hledger', ['-f', file, 'check', 'balancednoautoconversion'])
    const args = ['-f', file, 'balance', '--flat', '--no-total', '--layout', 'bare', '-O', 'csv']
    const { stdout } = await run('hledger', args)
    const rows = stdout.trim().split('\n').slice(1)
    const lines = rows.map(
      (row) => JSON.parse(`[${row.replaceAll('""', '\\"')}]`) as [string, string, string],
    )
    expect(record(lines)).toEqual(await ledgerBalances())
  })

  it.runIf(await hasTool('ledger'))('ledger', async () => {
    const file = await fileOf('ledger')
    const format = String.raw`%(account)\t%(strip(total))\n`
    const { stdout } = await run('ledger', [
      '-f',
      file,
      'balance',
      '--flat',
      '--no-total',
      '--format',
      format,
    ])
    let account = ''
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line): [string, string, string] => {
        const [first, rest] = line.includes('\t') ? line.split('\t') : [account, line]
        account = first ?? ''
        const [amount = '', commodity = ''] = (rest ?? '').trim().split(' ')
        return [account, commodity, amount]
      })
    expect(record(lines)).toEqual(await ledgerBalances())
  })

  it.runIf(await hasTool('bean-check'))('beancount', async () => {
    const file = await fileOf('beancount')
    await run('bean-check', [file])
    const query = 'select account, currency, str(sum(number)) group by account, currency'
    const { stdout } = await run('bean-query', ['-f', 'csv', file, query])
    // As text: bean-query shows a column of numbers at the digits of its most frequent currency.
    const rows = stdout
      .replaceAll(/Decimal\('(.*?)'\)/g, '$1')
      .trim()
      .split(/\r?\n/)
      .slice(1)
    const lines = rows.map((row) => row.split(',').map((cell) => cell.trim()) as [string, string, string])
    expect(record(lines)).toEqual(await ledgerBalances())
  })
})

describe('export', () => {
  it('stops at the moment that is asked for, that moment included', async () => {
    const lines = (text: string) => text.trim().split('\n')
    expect(lines(await exported('jsonl'))).toHaveLength(10)
    expect(lines(await exported('jsonl', middle))).toHaveLength(9)
    expect(await exported('jsonl', new Date(middle.getTime() - 60_000))).toBe('')
  })

  it('writes one row per posting as CSV, at full precision', async () => {
    const rows = (await exported('csv')).trim().split('\r\n')
    expect(rows).toHaveLength(1 + 9 + 3)
    expect(rows.at(-1)).toMatch(/,conversion,3,Assets:Customers:1000:Available,Equity:House:Fees,0\.03,EUR$/)
  })

  it('carries the detail in JSON lines', async () => {
    const last = JSON.parse((await exported('jsonl')).trim().split('\n').at(-1) ?? '') as Record<
      string,
      unknown
    >
    expect(last).toMatchObject({ kind: 'conversion', scope: '1000', detail: { rate: '1/3' }, reverses: null })
  })

  it('declares no commodity, since hledger hides a residual behind one', async () => {
    expect(await exported('hledger')).not.toMatch(/^commodity/m)
  })

  it('names commodities so that beancount takes them, and no two alike', () => {
    const names = ['EUR', 'BRK.B', 'F', 'brk', '0700.HK', 'A B', 'X'.repeat(25)].map((code, id) =>
      commodityName({ id, code }),
    )
    expect(names).toEqual(['EUR', 'BRK.B', 'ASSET-2', 'ASSET-3', 'ASSET-4', 'ASSET-5', 'ASSET-6'])
  })

  it('gives house and pockets names of their own', () => {
    expect(accountName(funding())).toBe('Equity:House:Funding')
    expect(accountName(accountId({ walletId: 2n, assetId: EUR, purpose: 30 }))).toBe(
      'Equity:House:2:Purpose-30',
    )
    expect(accountName(accountId({ walletId: 5_000n, assetId: EUR, purpose: 66 }))).toBe(
      'Assets:Customers:5000:Pocket-2',
    )
  })
})
