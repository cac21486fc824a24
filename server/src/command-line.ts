import { parseArgs } from 'node:util'
import type { Config } from '#config'
import { findRunningEmbedded } from '#db'
import { createLog } from '#telemetry'
import { reachDatabase } from './start.ts'
import type { DatabaseAddress } from './start.ts'

/** What is wrong with the command line, in a sentence for the operator. */
export class CommandError extends Error {
  override name = 'CommandError'
}

/** The database of a Kantor that runs on this data directory, or else our own start of it. */
export async function reachForCommand(config: Config): Promise<DatabaseAddress> {
  const running = config.databaseUrl === null ? await findRunningEmbedded(config.dataDir) : null
  if (running !== null) return { url: running, stop: async () => {} }
  return reachDatabase(config, createLog({ level: 'warn', name: 'kantor-command' }))
}

/** Options only, unless words are asked for; anything else is refused in a sentence. */
export function parseCommand<Options extends Record<string, { type: 'string' }>>(
  args: string[],
  options: Options,
  { words = false } = {},
) {
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: words })
  } catch (error) {
    throw new CommandError(error instanceof Error ? error.message : String(error))
  }
}
