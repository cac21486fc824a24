import { loadConfig } from '#config'
import { expect, test } from 'vitest'
import { CommandError } from './command-line.ts'
import { exportCommand, verifyCommand } from './ledger-commands.ts'

// Refused before any database is looked for: this configuration's folder does not exist.
const config = loadConfig({ KANTOR_DATA_DIR: '/nowhere/kantor' })

test.each<[string[], RegExp]>([
  [[], /^--format must be one of hledger, ledger, beancount, csv, jsonl\.$/],
  [['--format', 'xml'], /^--format must be one of/],
  [['--format', 'csv', '--as-of', '2026-13-01'], /^--as-of wants a moment with its offset/],
  [['--format', 'csv', '--as-of', '2026-03-01T12:00:00'], /^--as-of wants a moment with its offset/],
  [['--format', 'csv', '--since', '2026-03-01'], /--since/],
  [['csv'], /positional/],
])('export %j is refused in a sentence of its own', async (args, sentence) => {
  const refusal = await exportCommand(config, args).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(CommandError)
  expect(String((refusal as Error).message)).toMatch(sentence)
})

test.each([[['--expect-head', '12']], [['--expect-head', `12:${'g'.repeat(64)}`]], [['--fast']]])(
  'verify %j is refused in a sentence of its own',
  async (args) => {
    await expect(verifyCommand(config, args)).rejects.toBeInstanceOf(CommandError)
  },
)
