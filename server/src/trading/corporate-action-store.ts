import type { Queryable, Tx } from '#db'
import type { CorporateAction } from '#market-data'

/** An action that is to be posted, or to be posted again. */
export interface DueAction {
  readonly actionId: bigint
  readonly rootId: bigint
  readonly instrumentId: number
  /** As it was read: what entitles and is recorded later counts it up. */
  readonly reopened: number
  readonly haveOrdersEnded: boolean
  /** How often it failed since it last went well. */
  readonly attempts: number
}

/** What a chain of corrections has given a holder so far, of one asset at a time. */
export interface GivenBefore {
  readonly actionId: bigint
  /** From 1: the journals of one action. */
  readonly number: number
  /** YYYY-MM-DD: of the action that gave it. */
  readonly exOn: string
  readonly assetId: number
  /** Shares or minor units of money, less than zero when it took. */
  readonly amount: bigint
  /** Of which so much was kept back as tax. */
  readonly withheld: bigint
}

export async function newestKnownAction(q: Queryable): Promise<bigint> {
  const { rows } = await q.query<{ id: bigint }>(
    `select coalesce(max(action_id), 0) as id from trading.corporate_actions`,
  )
  return rows[0]?.id ?? 0n
}

/** A correction belongs to the chain of what it corrects; known ones are left as they are. */
export async function insertActions(q: Queryable, actions: readonly CorporateAction[]): Promise<void> {
  for (const action of actions) {
    await q.query(
      `insert into trading.corporate_actions
              (action_id, root_id, corrects, instrument_id, kind, ex_on, due_on, done_at)
       values ($1, coalesce((select root_id from trading.corporate_actions where action_id = $2), $2, $1), $2, $3, $4,
               $5, $6, $7)
       on conflict (action_id) do nothing`,
      [
        action.id,
        action.corrects,
        action.instrumentId,
        action.kind,
        exOn(action),
        dueOn(action),
        // It replaces what was ahead, and there is nothing to post.
        action.withdrawn ? action.recordedAt : null,
      ],
    )
  }
}

/** The day whose beginning decides who is entitled. */
export function exOn(action: CorporateAction): string {
  return action.kind === 'split' || action.kind === 'dividend' ? action.exDate : action.on
}

function dueOn(action: CorporateAction): string {
  return action.kind === 'dividend' ? (action.payDate ?? action.exDate) : exOn(action)
}

/**
 * The oldest that is due; null: none. Those that were corrected before they were due are left out, see
 * `closeSuperseded`, and so are those that failed, until they are to be tried again.
 */
export async function readDue(q: Queryable, today: string, now: Date): Promise<DueAction | null> {
  const { rows } = await q.query<DueAction>(
    `select action_id as "actionId", root_id as "rootId", instrument_id as "instrumentId", reopened,
            orders_ended_at is not null as "haveOrdersEnded", attempts
       from trading.corporate_actions
      where done_at is null and due_on <= $1 and (retry_at is null or retry_at <= $2)
      order by due_on, action_id limit 1`,
    [today, now],
  )
  return rows[0] ?? null
}

export async function closeSuperseded(q: Queryable, now: Date): Promise<void> {
  await q.query(
    `update trading.corporate_actions action set done_at = $1
      where done_at is null and exists (select from trading.corporate_actions later
                                         where later.root_id = action.root_id and later.action_id > action.action_id)`,
    [now],
  )
}

/**
 * Those of instruments that nobody ever held, at once: a provider's history has thousands. Not a split that an open
 * order waits for: it was given in old shares.
 */
export async function closeUnheld(q: Queryable, today: string, now: Date): Promise<void> {
  await q.query(
    `update trading.corporate_actions action set done_at = $2
      where done_at is null and due_on <= $1 and kind <> 'delisting' and reopened = 0
        and not exists (select from trading.positions where positions.instrument_id = action.instrument_id)
        and not (kind = 'split' and exists (
          select from trading.orders where orders.instrument_id = action.instrument_id and orders.done_at is null))`,
    [today, now],
  )
}

/** Unless something that entitles was recorded since it was read: then it stays due. */
export async function closeAction(q: Queryable, { actionId, reopened }: DueAction, now: Date): Promise<void> {
  await q.query(
    `update trading.corporate_actions set done_at = $2, failure = null, attempts = 0, retry_at = null
      where action_id = $1 and reopened = $3`,
    [actionId, now, reopened],
  )
}

/** Left for later, with what it failed with, for whoever runs this to read. */
export async function putOff(
  q: Queryable,
  { actionId }: DueAction,
  { failure, retryAt }: { readonly failure: string; readonly retryAt: Date },
): Promise<void> {
  await q.query(
    `update trading.corporate_actions set failure = $2, attempts = attempts + 1, retry_at = $3 where action_id = $1`,
    [actionId, failure, retryAt],
  )
}

export async function noteOrdersEnded(
  q: Queryable,
  { actionId }: Pick<DueAction, 'actionId'>,
  now: Date,
): Promise<void> {
  await q.query(`update trading.corporate_actions set orders_ended_at = $2 where action_id = $1`, [
    actionId,
    now,
  ])
}

/**
 * Shares that were there before a day became known only now, when actions of after that day may be posted already:
 * those are due again, and give each holder the difference. In the tx that records the shares. What was corrected is
 * not: its correction is.
 */
export async function reopenActions(tx: Tx, instrumentId: number, day: string, today: string): Promise<void> {
  await tx.query({
    name: 'trading.reopen_actions',
    text: `
      update trading.corporate_actions action set done_at = null, reopened = reopened + 1
      where instrument_id = $1 and ex_on > $2 and due_on <= $3 and kind in ('split', 'dividend')
        and not exists (select from trading.corporate_actions later
                         where later.root_id = action.root_id and later.action_id > action.action_id)`,
    values: [instrumentId, day, today],
  })
}

/**
 * Splits whose orders are not yet ended, or whose first posting is under way, by instrument: the first day whose prices
 * are of new shares. One holder for whom it fails keeps nobody from dealing.
 */
export async function readPendingSplits(q: Queryable): Promise<Map<number, string>> {
  const { rows } = await q.query<{ instrument_id: number; ex_on: string }>({
    name: 'trading.pending_splits',
    text: `
      select instrument_id, min(ex_on) as ex_on from trading.corporate_actions
      where done_at is null and kind = 'split' and (orders_ended_at is null or (attempts = 0 and reopened = 0))
      group by instrument_id`,
    values: [],
  })
  return new Map(rows.map((row) => [row.instrument_id, row.ex_on]))
}

/** Whether a split is in force whose shares are not yet changed for everybody: some are old ones, some new. */
export async function isSplitUnderWay(q: Queryable, instrumentId: number, today: string): Promise<boolean> {
  const { rows } = await q.query({
    name: 'trading.split_under_way',
    text: `
      select from trading.corporate_actions
      where instrument_id = $1 and kind = 'split' and done_at is null and ex_on <= $2 limit 1`,
    values: [instrumentId, today],
  })
  return rows.length > 0
}

/**
 * Everybody who held it before a moment in the world, or (null) ever, by wallet: what was sold since may still be
 * entitled. They had shares in the ledger by then, or a lot of then that was recorded later.
 */
export async function readHolders(
  q: Queryable,
  { instrumentId, before }: { readonly instrumentId: number; readonly before: Date | null },
  afterWallet: bigint,
  limit: number,
): Promise<bigint[]> {
  const { rows } = await q.query<{ wallet_id: bigint }>({
    name: 'trading.holders',
    text: `
      select wallet_id from trading.positions
      where instrument_id = $1 and wallet_id > $2 and (
        $3::timestamptz is null
        or exists (
          select from ledger.entries
          where account_id = wallet_id << 27 | $1::bigint << 7 and version = 1 and entries.seq <= coalesce(
            (select height from ledger.blocks where sealed_at < $3 order by sealed_at desc, height desc limit 1), 0
          ) * 4096 + 4095
        )
        or exists (
          select from trading.lots
          where lots.wallet_id = positions.wallet_id and lots.instrument_id = $1 and opened_at < $3
        )
      )
      order by wallet_id limit $4`,
    values: [instrumentId, afterWallet, before, limit],
  })
  return rows.map(({ wallet_id }) => wallet_id)
}

export async function readGiven(q: Queryable, rootId: bigint, walletId: bigint): Promise<GivenBefore[]> {
  const { rows } = await q.query<GivenBefore>(
    `select action_id as "actionId", number::int, ex_on as "exOn", asset_id as "assetId", amount, withheld
       from trading.corporate_action_postings posting join trading.corporate_actions using (root_id, action_id)
      where root_id = $1 and wallet_id = $2`,
    [rootId, walletId],
  )
  return rows
}

/** One journal's part of one asset. A journal that gave nothing has one too, so that it is not posted twice. */
export interface GivenNow extends Omit<GivenBefore, 'exOn'> {
  readonly rootId: bigint
  readonly walletId: bigint
  readonly entitled: bigint
  readonly at: Date
}

export async function insertGiven(tx: Tx, given: readonly GivenNow[]): Promise<void> {
  for (const { rootId, actionId, walletId, number, assetId, entitled, amount, withheld, at } of given) {
    await tx.query(
      `insert into trading.corporate_action_postings
         (root_id, action_id, wallet_id, number, asset_id, entitled, amount, withheld, at)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
      [rootId, actionId, walletId, number, assetId, entitled, amount, withheld, at],
    )
  }
}
