import type { Queryable, ReadReplica } from '#db'
import type { AssetBook } from '#wallets'
import type { IndexBuilder } from './index-builder.ts'

/** A customer as another customer may see them: the name is masked. */
export interface Person {
  readonly handle: string
  readonly name: string
}

/** Who people are. Given from outside, since this room knows wallets and not customers. */
export interface People {
  /** By wallet id; those who do not exist are absent. */
  readonly byWalletIds: (walletIds: readonly bigint[]) => Promise<ReadonlyMap<bigint, Person>>
  /** The wallet of whoever bears this handle, without @; null when nobody does. */
  readonly walletOfHandle: (handle: string) => Promise<bigint | null>
}

export interface HistoryDeps {
  readonly db: Queryable
  readonly assets: AssetBook
  readonly people: People
  readonly indexBuilder: IndexBuilder
}

export interface HistoryRoutesDeps extends HistoryDeps {
  /** Read instead where it is current; null: there is none. */
  readonly replica: ReadReplica | null
}
