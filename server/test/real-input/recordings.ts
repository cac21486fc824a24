import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, '../../../../shared/samples')

/** Recorded bodies of the real providers lie beside the checkout where Kantor is developed, and are not part of it. */
export const hasRecordings: boolean = existsSync(FOLDER)

/** The bytes as they came. */
export function recording(name: string): Buffer {
  return readFileSync(join(FOLDER, name))
}

/** What a body says, read as text and apart from the program: each rate exactly as it was written. */
export interface Recorded {
  readonly provider: 'fixer' | 'ecb'
  /** The moment the prices are of. */
  readonly asOf: string
  /** Against EUR, EUR included. */
  readonly rates: ReadonlyMap<string, string>
}

export function recordedFixer(): Recorded {
  const text = recording('fixer/latest.json').toString()
  const seconds = Number(/"timestamp": *(\d+)/.exec(text)?.[1])
  const rates = text.matchAll(/"([A-Z]{3})": *([0-9.]+)/g)
  return recorded('fixer', new Date(seconds * 1000).toISOString(), rates)
}

/** Reference rates are concerted at 14:15 in Frankfurt, which in January is 13:15 UTC. */
export function recordedEcb(): Recorded {
  const text = recording('ecb/eurofxref-daily.xml').toString()
  const day = /time='([0-9-]+)'/.exec(text)?.[1] ?? ''
  return recorded('ecb', `${day}T13:15:00.000Z`, text.matchAll(/currency='([A-Z]{3})' rate='([0-9.]+)'/g))
}

function recorded(provider: 'fixer' | 'ecb', asOf: string, found: Iterable<RegExpMatchArray>): Recorded {
  const rates = new Map([...found].map((match) => [match[1] ?? '', match[2] ?? ''] as const))
  return { provider, asOf, rates: rates.set('EUR', '1') }
}
