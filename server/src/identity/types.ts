import type { Scope } from '@kantor/contract/api'
import type { Database, Tx } from '#db'
import type { Authenticate, Route } from '#http'
import type { PasswordHasher } from './password-hasher.ts'

export interface IdentityConfig {
  /** True when the public address is https: cookies are then `Secure` and bound to the host. */
  readonly https: boolean
  /** False only for benches on loopback: nobody is slowed down or refused. */
  readonly rateLimits: boolean
  /** A session ends this long after its last use. */
  readonly sessionIdleSeconds: number
  /** A session ends this long after sign-in, used or not. */
  readonly sessionLifeSeconds: number
}

/** The new customer, as the rooms that open a wallet need it. `number` is the wallet's id. */
export interface SignedUpCustomer {
  readonly id: string
  readonly number: bigint
  readonly handle: string
  readonly baseCurrency: string
}

export interface IdentityDeps {
  readonly db: Database
  readonly clock: () => Date
  readonly newId: () => string
  readonly randomBytes: (size: number) => Buffer
  readonly hasher: PasswordHasher
  readonly config: IdentityConfig
  /**
   * Called last in the transaction that makes a customer, so that wallet and customer come to be together or
   * not at all. `currencies` holds offered currency codes, the base currency first, each once. Runs again
   * when the transaction is retried, so it may do nothing but write through `tx`.
   */
  readonly onSignedUp: (tx: Tx, customer: SignedUpCustomer, currencies: readonly string[]) => Promise<void>
  /**
   * Called last in the transaction of a sign-in from a browser that this customer had not signed in from before.
   * Runs again when the transaction is retried, so it may do nothing but write through `tx`.
   */
  readonly onNewDevice: (tx: Tx, signedIn: NewDeviceSignIn) => Promise<void>
}

export interface NewDeviceSignIn {
  readonly number: bigint
  readonly ip: string
  readonly userAgent: string
}

export interface Identity {
  readonly authenticate: Authenticate
  readonly routes: Route[]
  /** The session cookie's, which depends on https; the API's documents name it. */
  readonly cookieName: string
  /** Deletes what no longer matters: forgotten attempts, long dead sessions, keys and devices. For a daily job. */
  readonly sweep: () => Promise<void>
  /** Ends the thread that judges passwords. */
  readonly close: () => Promise<void>
}

/** A credential that holds at this moment, and whose it is. */
export interface LiveCredential {
  readonly id: string
  readonly customerId: string
  readonly number: bigint
  readonly role: 'customer' | 'support' | 'admin'
  readonly frozen: boolean
  readonly scopes: ReadonlySet<Scope>
}
