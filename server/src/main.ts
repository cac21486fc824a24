import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { adminCommand } from './admin-command.ts'
import { CommandError } from './command-line.ts'
import { exportCommand, verifyCommand } from './ledger-commands.ts'
import { STOP_SECONDS_MAX, start } from './start.ts'
import { ConfigError, loadConfig } from '#config'
import type { Log } from '#telemetry'

const ROOT = join(import.meta.dirname, '../..')

/** `node server/src/main.ts` serves; `verify`, `export` and `admin` work on the same environment's database and end. */
async function main(): Promise<number> {
  const [command, ...args] = process.argv.slice(2)
  const config = loadConfig(process.env)
  if (command === 'verify') return verifyCommand(config, args)
  if (command === 'export') return exportCommand(config, args)
  if (command === 'admin') return adminCommand(config, args, () => new Date())
  if (command !== undefined)
    throw new CommandError(`There is no command ${command}; there are verify, export and admin.`)
  // From before it starts: who is asked to end while it starts ends as cleanly as any, and a second signal ends it at once.
  const asked =
    config.role === 'migrate' ? null : Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')])
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  const starting = start({
    config,
    version,
    webDirectory: join(ROOT, 'web/dist'),
    clock: () => new Date(),
    random: Math.random,
  })
  // A database that is waited for, say: whoever wants us gone waits no longer than for a program that runs.
  const tooLong = asked?.then(() => sleep(STOP_SECONDS_MAX * 1000, 'tooLong' as const))
  const running = await Promise.race([starting, ...(tooLong === undefined ? [] : [tooLong])])
  if (running === null) return 0
  if (running === 'tooLong') process.exit(0)
  const { log } = running
  // The address comes last on a terminal, where the log's lines arrive too.
  await flush(log)
  console.log(running.address)
  const signal = await asked
  log.info({ signal: String(signal) }, 'stopping')
  await running.stop()
  await flush(log)
  // Whatever was left behind still has timers and connections.
  process.exit(0)
}

const flush = (log: Log) => new Promise<void>((resolve) => log.flush(() => resolve()))

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
