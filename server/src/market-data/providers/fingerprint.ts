import { createHash } from 'node:crypto'

/** A short mark that tells one configuration from another. The key behind it cannot be read back from it. */
export function fingerprint(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16)
}
