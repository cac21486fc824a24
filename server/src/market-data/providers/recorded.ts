import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Bodies recorded from the real providers lie beside the project where it is developed, and are not part of it. */
const SAMPLES = join(import.meta.dirname, '../../../../../shared/samples')

export const hasRecorded = existsSync(SAMPLES)

export function recorded(name: string): string {
  return readFileSync(join(SAMPLES, name), 'utf8')
}
