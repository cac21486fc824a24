import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { start } from './start.ts'
import { CommandError, exportCommand, verifyCommand } from './ledger-commands.ts'
import { ConfigError, loadConfig } from '#config'

const ROOT = join(import.meta.dirname, '../..')

/** `node server/src/main.ts` serves; `verify` and `export` read the ledger of the same environment and end. */
async function main(): Promise<number> {
  const [command, ...args] = process.argv.slice(2)
  const config = loadConfig(process.env)
  if (command === 'verify') return verifyCommand(config, args)
  if (command === 'export') return exportCommand(config, args)
  if (command !== undefined)
    throw new CommandError(`There is no command ${command}; there are verify and export.`)
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const running = await start({
    config,
    version,
    webDirectory: join(ROOT, 'web/dist'),
    clock: () => new Date(),
    random: Math.random,
  })
  if (running === null) return 0
  // The address comes last on a terminal, where the log's lines arrive too.
  await new Promise<void>((resolve) => running.log.flush(() => resolve()))
  console.log(running.address)
  const signal = await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  running.log.info({ signal: String(signal) }, 'stopping')
  await running.stop()
  return 0
}

/** What an operator needs of an error: what it says, and what its causes say. The trace comes with LOG_LEVEL=debug. */
function sentencesOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}\n  ${sentencesOf(error.cause)}`
}

try {
  process.exitCode = await main()
} catch (error) {
  const isSaidInFull = error instanceof ConfigError || error instanceof CommandError
  console.error(isSaidInFull || process.env['LOG_LEVEL'] !== 'debug' ? sentencesOf(error) : error)
  process.exitCode = 1
}
