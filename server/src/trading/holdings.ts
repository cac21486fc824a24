import type { Rate } from '@kantor/contract/money'
import type { Tx } from '#db'

/** Minor units of an asset. */
export interface MinorMoney {
  readonly assetId: number
  readonly minor: bigint
}

/** 1 of the instrument's currency in the customer's base currency when it happened; `null` when it was unknown. */
export interface BaseRate {
  readonly baseCurrency: string
  readonly rate: Rate
  /** Ids in `market_data.rate_snapshots`, as text; empty when both currencies are the same. */
  readonly snapshotIds: readonly string[]
  readonly source: string
  readonly asOf: Date
}

/** One fill of one order, as it is posted. */
export interface HoldingFill {
  readonly walletId: bigint
  readonly instrumentId: number
  readonly side: 'buy' | 'sell'
  /** Shares, scale 9, > 0. */
  readonly quantity: bigint
  /**
   * Shares times price in the instrument's currency, without the fee. Rounding is by the whole order, so of an order
   * that is filled in parts a tiny part may cost 0.
   */
  readonly cash: MinorMoney
  /** In the instrument's currency too; may be 0. */
  readonly fee: MinorMoney
  /** When it was dealt: the price's time, however late that came in. */
  readonly at: Date
  readonly orderId: string
  /** From 1, within the order. */
  readonly fillNumber: number
  /** The trade journal's key in the wallet's scope: unique for ever. */
  readonly journalKey: string
  readonly baseRate: BaseRate | null
}

/** A wallet's instrument of which something may be dealt. */
export interface HoldingWanted {
  readonly walletId: bigint
  readonly instrumentId: number
  /** The instrument's. */
  readonly currencyId: number
  /** The most shares that may be sold, scale 9. */
  readonly sharesMax: bigint
  /** What the customer reckons in; null: unknown. */
  readonly baseCurrency: string | null
}

/**
 * What moves lots. It is called in the tx of the posting and before it, so lots and balances commit together or not at
 * all. A wallet's instrument is locked by its accounts, so no other tx moves its lots meanwhile. It must not lock
 * accounts and must not post.
 */
export interface Holdings {
  /** Reads what may be dealt of. Called when the locks of the accounts are sent, and answered behind them. */
  open(tx: Tx, wanted: readonly HoldingWanted[]): Promise<OpenHoldings>
}

export interface OpenHoldings {
  /**
   * Several at once, since one price fills many orders, in the order in which they are posted. What it writes is sent
   * before it returns; the caller need not wait for it before it posts.
   */
  onFills(fills: readonly HoldingFill[]): Promise<void>
}
