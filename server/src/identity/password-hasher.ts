import { availableParallelism } from 'node:os'
import { randomBytes } from 'node:crypto'
import { hash, parseOptions, verify } from '@node-rs/argon2'
import { createGate } from './gate.ts'

/** OWASP's Argon2id: 19 MiB, two passes, one lane. `@node-rs/argon2` makes Argon2id unless told otherwise. */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/**
 * libuv has 4 threads, which file and DNS work share; one core stays with the event loop. A hash takes about
 * 30 ms, so a full queue is about a second and a half of waiting.
 */
const HASHES_AT_ONCE = Math.min(3, Math.max(1, availableParallelism() - 1))
const WAITING_MAX = HASHES_AT_ONCE * 48
const RETRY_AFTER_SECONDS = 2

/** Passwords are compared as NFKC: the same characters typed on another keyboard are the same password. */
export const normalizePassword = (password: string): string => password.normalize('NFKC')

export interface PasswordHasher {
  hash(password: string): Promise<string>
  /** Null stands for an account that does not exist: costs the same, answers false. */
  verify(password: string, passwordHash: string | null): Promise<boolean>
  /** True when the hash was made with weaker parameters than today's. */
  isOutdated(passwordHash: string): boolean
}

const base64 = (size: number) => randomBytes(size).toString('base64').replace(/=+$/, '')

/**
 * Argon2id on libuv's threads, so the event loop goes on; a bounded number at once and a bounded queue, since
 * each takes 19 MiB and a core: beyond it `busy` with Retry-After.
 */
export function createPasswordHasher(
  bounds: { atOnce: number; waitingMax: number } = { atOnce: HASHES_AT_ONCE, waitingMax: WAITING_MAX },
): PasswordHasher {
  const gate = createGate({ ...bounds, retryAfterSeconds: RETRY_AFTER_SECONDS })
  // Random bytes in place of a hash: no password has it.
  const nobody = `$argon2id$v=19$m=${PARAMETERS.memoryCost},t=${PARAMETERS.timeCost},p=${PARAMETERS.parallelism}$${base64(16)}$${base64(32)}`
  return {
    hash: (password) => gate(() => hash(normalizePassword(password), PARAMETERS)),
    verify: (password, passwordHash) =>
      gate(() => verify(passwordHash ?? nobody, normalizePassword(password))),
    isOutdated: (passwordHash) => {
      const made = parseOptions(passwordHash)
      return made.memoryCost < PARAMETERS.memoryCost || made.timeCost < PARAMETERS.timeCost
    },
  }
}
