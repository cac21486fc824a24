import { closeSync, createReadStream, openSync, writeSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { CommandKind } from './commands.ts'

/** What a caller was told of one command in the end. */
export interface Answered {
  readonly kind: CommandKind
  readonly handle: string
  readonly key: string
  readonly outcome: 'ok' | 'refused'
  /** Of what was acknowledged: the operation's, the order's or the rule's. */
  readonly id: string | null
  /** Its whole body. */
  readonly body: string
  /** The problem's code, of what was refused. */
  readonly code: string | null
}

/**
 * All answers of a drill, a line of a file each: a drill of hours has more than memory should hold, and a database that
 * is killed under load is no place for what it is judged by.
 */
export interface AnswerLog {
  add(answered: Answered): void
  /** The place behind the last one. */
  end(): number
  /** Those between two places that `end` gave, some at a time. */
  read(from: number, to: number): AsyncGenerator<readonly Answered[]>
  close(): void
}

const ANSWERS_AT_ONCE = 2_000

export function openAnswerLog(file: string): AnswerLog {
  const log = openSync(file, 'a')
  let end = 0
  return {
    add: (answered) => {
      end += writeSync(log, `${JSON.stringify(answered)}\n`)
    },
    end: () => end,
    read: (from, to) => readLines(file, from, to),
    close: () => closeSync(log),
  }
}

async function* readLines(file: string, from: number, to: number): AsyncGenerator<readonly Answered[]> {
  if (from === to) return
  let some: Answered[] = []
  for await (const line of createInterface({ input: createReadStream(file, { start: from, end: to - 1 }) })) {
    some.push(JSON.parse(line) as Answered)
    if (some.length < ANSWERS_AT_ONCE) continue
    yield some
    some = []
  }
  if (some.length > 0) yield some
}
