import { createHash } from 'node:crypto'
import { Problem } from '@kantor/contract/errors'
import type { Database, Queryable, Tx } from '#db'
import { networkOf } from './networks.ts'

interface Policy {
  /** Attempts before the first delay. */
  readonly free: number
  /** The first delay; each further attempt doubles it. */
  readonly delaySecondsFirst: number
  readonly delaySecondsMax: number
  /** All is forgotten after this long without an attempt. */
  readonly forgetSeconds: number
}

const HOUR = 3600
const PER_ACCOUNT: Policy = { free: 5, delaySecondsFirst: 30, delaySecondsMax: 900, forgetSeconds: 24 * HOUR }
/** A class or an office shares an address, so it has more tries than one account; guessing over many has not. */
const PER_NETWORK: Policy = { free: 30, delaySecondsFirst: 30, delaySecondsMax: 900, forgetSeconds: HOUR }
const SIGN_UPS: Policy = { free: 60, delaySecondsFirst: 60, delaySecondsMax: HOUR, forgetSeconds: HOUR }

interface Limit {
  readonly key: string
  readonly policy: Policy
}

/** An attempt that was let through and counted as failed, until told otherwise. */
export interface Attempt {
  /** It was no failure: takes back what was counted. */
  succeeded(tx: Tx): Promise<void>
  /** Its password was never looked at (we were busy): takes back this one. */
  notJudged(tx: Tx): Promise<void>
}

export interface Limits {
  /** Counts a sign-in before its password is looked at, so that a hundred guesses at once are not all free. */
  beginSignIn(from: { emailKey: string; ip: string; knownDevice: string | null }): Promise<Attempt>
  countSignUp(ip: string): Promise<void>
}

const NO_LIMITS: Limits = {
  beginSignIn: async () => ({ succeeded: async () => {}, notJudged: async () => {} }),
  countSignUp: async () => {},
}

/** E-mails are kept as hashes here: what is typed into that field can be anything, a password too. */
const accountKey = (emailKey: string) =>
  `account:${createHash('sha256').update(emailKey).digest('base64url')}`

/**
 * Limits in the database, so that all processes count together. A known device (a browser that this customer
 * has signed in from) has its own count: strangers can slow the account down everywhere else, not there.
 */
export function createLimits(deps: { db: Database; clock: () => Date; enabled: boolean }): Limits {
  if (!deps.enabled) return NO_LIMITS
  const pass = (limits: readonly Limit[]) =>
    deps.db.transaction(async (tx) => {
      for (const limit of limits) await countOrRefuse(tx, limit, deps.clock())
    })
  return {
    beginSignIn: async ({ emailKey, ip, knownDevice }) => {
      if (knownDevice !== null) {
        const device = { key: `device:${knownDevice}`, policy: PER_ACCOUNT }
        await pass([device])
        return { succeeded: (tx) => forget(tx, device.key), notJudged: (tx) => takeBackOne(tx, device.key) }
      }
      const network = { key: `sign-in:${networkOf(ip)}`, policy: PER_NETWORK }
      const account = { key: accountKey(emailKey), policy: PER_ACCOUNT }
      // The network first: while it is refused, the attempts do not also close an account. Always in this
      // order, so that two attempts cannot wait for each other.
      await pass([network, account])
      return {
        succeeded: async (tx) => {
          // Only this one is taken back: else a guesser with an account of his own would reset his network.
          await takeBackOne(tx, network.key)
          await forget(tx, account.key)
        },
        notJudged: async (tx) => {
          await takeBackOne(tx, network.key)
          await takeBackOne(tx, account.key)
        },
      }
    },
    countSignUp: (ip) => pass([{ key: `sign-up:${networkOf(ip)}`, policy: SIGN_UPS }]),
  }
}

async function countOrRefuse(tx: Tx, limit: Limit, now: Date): Promise<void> {
  if (await count(tx, limit, now)) return
  const retryAfterSeconds = await secondsUntilNext(tx, limit, now)
  throw new Problem('rate_limited', { retryAfterSeconds: Math.max(1, Math.ceil(retryAfterSeconds)) })
}

/** When the next attempt may be made: $2 free ones, $3 the first delay, $4 the longest. */
const NEXT_AT = `a.last_at + make_interval(secs =>
  case when a.attempts < $2 then 0 else least($4::float8, $3::float8 * 2 ^ least(a.attempts - $2, 20)) end)`

/** One statement, so that attempts in flight at the same time are counted one after the other. */
async function count(tx: Tx, { key, policy }: Limit, now: Date): Promise<boolean> {
  const { rowCount } = await tx.query(
    `insert into identity.attempts as a (key, attempts, last_at, forget_at) values ($1, 1, $5, $6)
     on conflict (key) do update
       set attempts = case when a.forget_at <= $5 then 1 else a.attempts + 1 end, last_at = $5, forget_at = $6
       where a.forget_at <= $5 or ${NEXT_AT} <= $5`,
    [
      key,
      policy.free,
      policy.delaySecondsFirst,
      policy.delaySecondsMax,
      now,
      new Date(now.getTime() + policy.forgetSeconds * 1000),
    ],
  )
  return rowCount === 1
}

async function secondsUntilNext(tx: Tx, { key, policy }: Limit, now: Date): Promise<number> {
  const { rows } = await tx.query<{ seconds: number }>(
    `select extract(epoch from ${NEXT_AT} - $5)::float8 as seconds from identity.attempts a where a.key = $1`,
    [key, policy.free, policy.delaySecondsFirst, policy.delaySecondsMax, now],
  )
  return rows[0]?.seconds ?? 0
}

async function takeBackOne(tx: Tx, key: string): Promise<void> {
  await tx.query('update identity.attempts set attempts = greatest(attempts - 1, 0) where key = $1', [key])
}

async function forget(tx: Tx, key: string): Promise<void> {
  await tx.query('delete from identity.attempts where key = $1', [key])
}

export async function deleteForgottenAttempts(q: Queryable, now: Date): Promise<void> {
  await q.query('delete from identity.attempts where forget_at <= $1', [now])
}
