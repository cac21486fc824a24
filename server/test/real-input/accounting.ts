import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { trimmed } from './exact.ts'

/** What other people's accounting programs make of an export: `account commodity` → amount, without what is zero. */
export type Balances = Readonly<Record<string, string>>

export const ACCOUNTING_TOOLS = ['hledger', 'ledger', 'bean-query'] as const
export type AccountingTool = (typeof ACCOUNTING_TOOLS)[number]

/** Which export each reads. */
export const FORMAT_OF = { hledger: 'hledger', ledger: 'ledger', 'bean-query': 'beancount' } as const

const TOOL_SECONDS_MAX = 60
const runFile = promisify(execFile)
const run = async (tool: string, ...args: string[]) =>
  (await runFile(tool, args, { timeout: TOOL_SECONDS_MAX * 1000 })).stdout

export function hasTool(tool: AccountingTool): Promise<boolean> {
  return run(tool, '--version').then(
    () => true,
    () => false,
  )
}

/** @throws when the tool does not accept the file */
export async function balancesBy(tool: AccountingTool, file: string): Promise<Balances> {
  const lines = await READERS[tool](file)
  const amounts = lines.map(
    ([account, commodity, amount]) => [`${account} ${commodity}`, trimmed(amount)] as const,
  )
  // Beancount says nothing of nine digits as 0E-9.
  return Object.fromEntries(amounts.filter(([, amount]) => !/^-?0(?:E-\d+)?$/.test(amount)))
}

type Line = readonly [account: string, commodity: string, amount: string]

const READERS: Readonly<Record<AccountingTool, (file: string) => Promise<Line[]>>> = {
  async hledger(file) {
    await run('hledger', '-f', file, 'check', 'balancednoautoconversion')
    const shape = ['--flat', '--no-total', '--layout', 'bare', '-O', 'csv']
    return cells(await run('hledger', '-f', file, 'balance', ...shape))
  },
  /** Names an account once for all of its commodities. */
  async ledger(file) {
    const format = String.raw`%(account)\t%(strip(total))\n`
    const text = await run('ledger', '-f', file, 'balance', '--flat', '--no-total', '--format', format)
    let account = ''
    return text
      .trimEnd()
      .split('\n')
      .map((line) => {
        const parts = line.split('\t')
        if (parts.length === 2) account = parts[0] ?? ''
        const [amount = '', commodity = ''] = (parts.at(-1) ?? '').trim().split(' ')
        return [account, commodity.replaceAll('"', ''), amount]
      })
  },
  /** Amounts as text: a column of numbers would be shown at the digits of its most frequent currency. */
  async 'bean-query'(file) {
    await run('bean-check', file)
    const query = 'select account, currency, str(sum(number)) group by account, currency'
    return cells((await run('bean-query', '-f', 'csv', file, query)).replaceAll(/Decimal\('(.*?)'\)/g, '$1'))
  },
}

/** The rows of a CSV in which nothing but names and figures can be, without its heading. */
function cells(csv: string): Line[] {
  const [, ...rows] = csv.trim().split(/\r?\n/)
  return rows.map((row) => {
    const [account = '', commodity = '', amount = ''] = row
      .split(',')
      .map((cell) => cell.trim().replaceAll('"', ''))
    return [account, commodity, amount]
  })
}
