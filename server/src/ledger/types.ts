export type JsonValue = string | number | boolean | null | JsonValue[] | { [key: string]: JsonValue }

/** The number is what is stored and hashed: never renumber, only append. */
export const JOURNAL_KINDS = {
  deposit: 1,
  withdrawal: 2,
  transfer: 3,
  conversion: 4,
  reserve: 5,
  release: 6,
  trade: 7,
  dividend: 8,
  split: 9,
  fee: 10,
  adjustment: 11,
  reversal: 12,
  rename: 13,
  delisting: 14,
} as const

export type JournalKind = keyof typeof JOURNAL_KINDS

/** Moves `amount` minor units from one account to another of the same asset: it cannot be unbalanced. */
export interface Posting {
  from: bigint
  to: bigint
  /** Minor units, > 0. */
  amount: bigint
}

export interface PostCommand {
  kind: JournalKind
  /** The wallet that the key belongs to; 0 for the house and the system. */
  scope: bigint
  /** Idempotency key, 1 to 255 characters: the same key again answers what it answered the first time. */
  key: string
  /** 16 bytes of what the caller considers "the same request"; the key with another hash is refused. */
  requestHash: Buffer
  /** 1 to 64, judged and applied in this order, all or nothing. */
  postings: Posting[]
  /** Accounts that may be opened when they are missing; the caller vouches that their wallets exist. */
  opens?: bigint[]
  /** Single use of anything, for example `quote:<id>`: at most one journal ever bears it. ≤ 255 characters. */
  consumes?: string
  /** Judged after this moment, the command is refused as expired. */
  notAfter?: Date
  /** When it happened in the world, if that is not when it was recorded. */
  effectiveAt?: Date
  /** Id of the journal that this one undoes, in full and at most once; the postings must mirror it. */
  reverses?: string
  /** Kept with the journal and covered by its hash; numbers must be safe integers. ≤ 16 KiB encoded. */
  detail?: { [key: string]: JsonValue }
}

export type RefusalReason =
  | 'unknown_account'
  | 'unknown_asset'
  | 'asset_frozen'
  | 'asset_mismatch'
  | 'non_positive_amount'
  | 'same_account'
  | 'insufficient_funds'
  | 'overflow'
  | 'key_reused'
  | 'already_consumed'
  | 'expired'
  | 'unknown_original'
  | 'exceeds_original'

/** Where a refusal happened. For logs and for the caller's own sentence; balances are never to be echoed to others. */
export interface RefusalDetail {
  posting?: number
  accountId?: bigint
  balance?: bigint
}

export type Verdict =
  /** `replayed` is also true of one's own first attempt when its reply was lost and the poster asked again. */
  | { outcome: 'posted'; replayed: boolean; journal: JournalRef }
  | { outcome: 'refused'; reason: RefusalReason; detail: RefusalDetail }

export interface JournalRef {
  /** UUIDv7, derived from `recordedAt` and `seq`. */
  id: string
  /** block height · 4096 + position: gapless in order of commit, the cursor of feeds and events. */
  seq: bigint
  blockHeight: bigint
  recordedAt: Date
  effectiveAt: Date
  kind: JournalKind
  scope: bigint
  postings: Posting[]
  reverses: string | null
  detail: { [key: string]: JsonValue } | null
}

export type AssetKind = 'currency' | 'crypto' | 'instrument'

export interface Asset {
  id: number
  code: string
  kind: AssetKind
  /** Decimal places of the minor unit; never changes. */
  scale: number
  name: string
}

/** Thrown when the poster's queue is full: 503, to be retried after this long with the same key. */
export class LedgerBusy extends Error {
  override readonly name = 'LedgerBusy'
  readonly retryAfterSeconds = 1
}
