import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Queryable } from '#db'
import { readNames } from './names.ts'
import type { ShownWallet } from './judge-wallets.ts'
import { runProgram } from './program.ts'
import type { Site } from './site.ts'

const run = promisify(execFile)
const OUTPUT_BYTES_MAX = 256 * 1024 * 1024
const TOOL_WITHIN_MS = 10 * 60_000

interface Tool {
  readonly name: string
  readonly format: string
  /** `account commodity` → amount. Null: the tool accepts the export, and has no balances to give. */
  readonly balances: (file: string) => Promise<ReadonlyMap<string, string> | null>
}

const TOOLS: readonly Tool[] = [
  { name: 'hledger', format: 'hledger', balances: hledgerBalances },
  { name: 'ledger', format: 'ledger', balances: ledgerBalances },
  {
    name: 'bean-check',
    format: 'beancount',
    balances: async (file) => {
      await tool('bean-check', [file])
      return null
    },
  },
]

export interface ExportJudgement {
  readonly wrong: string[]
  readonly judgedBy: string[]
  /** Tools that are not installed here. */
  readonly missing: string[]
}

/** I8: accounting programs accept the export, and come to what the API showed every customer. */
export async function judgeExport(
  site: Site,
  q: Queryable,
  wallets: readonly ShownWallet[],
): Promise<ExportJudgement> {
  const expected = await expectedBalances(q, wallets)
  const judgement: ExportJudgement = { wrong: [], judgedBy: [], missing: [] }
  for (const { name, format, balances } of TOOLS) {
    if (!(await isInstalled(name))) {
      judgement.missing.push(name)
      continue
    }
    const file = join(site.directory, `export.${format}`)
    await runProgram(['export', '--format', format, '--out', file], site.environment, site.directory)
    const got = await balances(file).catch((error: unknown) => {
      judgement.wrong.push(`I8 ${name} does not accept the export: ${String(error).slice(0, 500)}`)
      return null
    })
    if (got !== null) judgement.wrong.push(...compare(name, expected, got))
    judgement.judgedBy.push(name)
  }
  return judgement
}

function compare(
  name: string,
  expected: ReadonlyMap<string, string>,
  got: ReadonlyMap<string, string>,
): string[] {
  const ofCustomers = [...got].filter(([account]) => account.startsWith('Assets:Customers:'))
  const wrong = [...expected]
    .filter(([account, amount]) => plain(got.get(account) ?? '0') !== plain(amount))
    .map(([account, amount]) => `I8 ${name} has ${got.get(account) ?? 'no'} ${account}, the API ${amount}`)
  const extra = ofCustomers
    .filter(([account, amount]) => !expected.has(account) && plain(amount) !== '0')
    .map(([account, amount]) => `I8 ${name} has ${amount} ${account}, the API nothing`)
  return [...wrong, ...extra]
}

/** `12.300` → `12.3`, `0.00` → `0`: programs write as many digits as they like. */
function plain(amount: string): string {
  return amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount
}

async function expectedBalances(
  q: Queryable,
  wallets: readonly ShownWallet[],
): Promise<ReadonlyMap<string, string>> {
  const { walletOf } = await readNames(q)
  const lines = wallets.flatMap(({ handle, balances }) =>
    balances.flatMap(({ asset, available, reserved }): [string, string][] => [
      [`Assets:Customers:${walletOf.get(handle)}:Available ${asset}`, available],
      [`Assets:Customers:${walletOf.get(handle)}:Reserved ${asset}`, reserved],
    ]),
  )
  return new Map(lines)
}

async function hledgerBalances(file: string): Promise<ReadonlyMap<string, string>> {
  await tool('hledger', ['-f', file, 'check', 'balancednoautoconversion'])
  const layout = ['--flat', '--no-total', '--layout', 'bare', '-O', 'csv']
  const rows = (await tool('hledger', ['-f', file, 'balance', ...layout])).trim().split('\n').slice(1)
  return new Map(
    rows.map((row) => {
      const cells = JSON.parse(`[${row.replaceAll('""', String.raw`\"`)}]`) as string[]
      const [account = '', commodity = '', amount = ''] = cells.map((cell) => cell.replaceAll('"', ''))
      return [`${account} ${commodity}`, amount]
    }),
  )
}

/** An account's first commodity is on the account's line, and the others on lines of their own. */
async function ledgerBalances(file: string): Promise<ReadonlyMap<string, string>> {
  const format = String.raw`%(account)\t%(strip(total))\n`
  const text = await tool('ledger', ['-f', file, 'balance', '--flat', '--no-total', '--format', format])
  const balances = new Map<string, string>()
  let account = ''
  for (const line of text.trimEnd().split('\n')) {
    const [first = '', rest = first] = line.split('\t')
    if (line.includes('\t')) account = first
    const [amount = '', commodity = ''] = rest.trim().split(' ')
    balances.set(`${account} ${commodity.replaceAll('"', '')}`, amount)
  }
  return balances
}

async function tool(name: string, args: readonly string[]): Promise<string> {
  const limits = { maxBuffer: OUTPUT_BYTES_MAX, timeout: TOOL_WITHIN_MS }
  return (await run(name, [...args], limits)).stdout
}

function isInstalled(name: string): Promise<boolean> {
  return run('which', [name]).then(
    () => true,
    () => false,
  )
}
