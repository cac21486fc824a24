import { join } from 'node:path'
import { createProgram, type Program } from './program.ts'
import type { Site } from './site.ts'

/** Replicas of each role, on one site. */
export interface Fleet {
  readonly apis: readonly [Program, Program]
  readonly workers: readonly [Program, Program]
  /** Processes of the drill's own that consume events. */
  readonly consumers: readonly [Program, Program]
  readonly all: readonly Program[]
}

const CONSUME = join(import.meta.dirname, 'consume.ts')

export async function startFleet({ environment, directory }: Site): Promise<Fleet> {
  const program = (role: string, name: string, script?: string) =>
    createProgram({
      name,
      environment: { ...environment, ROLE: role },
      directory,
      ...(script === undefined ? {} : { script }),
    })
  const apis = [await program('api', 'api-1'), await program('api', 'api-2')] as const
  const workers = [await program('worker', 'worker-1'), await program('worker', 'worker-2')] as const
  const consumers = [
    await program('worker', 'consumer-1', CONSUME),
    await program('worker', 'consumer-2', CONSUME),
  ] as const
  const fleet = { apis, workers, consumers, all: [...apis, ...workers, ...consumers] }
  try {
    await Promise.all(fleet.all.map((each) => each.start()))
  } catch (error) {
    await killAll(fleet)
    throw error
  }
  return fleet
}

export async function killAll({ all }: Fleet): Promise<void> {
  await Promise.all(all.map((program) => program.kill()))
}

/** As an orchestrator does it. @returns what was not clean about it */
export async function stopCleanly(programs: readonly Program[]): Promise<string[]> {
  const ended = await Promise.all(
    programs.map(async (program) => ({ name: program.name, code: await program.stop() })),
  )
  return ended
    .filter(({ code }) => code !== 0)
    .map(({ name, code }) => `${name} was told to stop and ended with ${code}`)
}
