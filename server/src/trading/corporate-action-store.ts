import type { Queryable, Tx } from '#db'
import type { CorporateAction } from '#market-data'

/** An action that is to be posted, or was. */
export interface DueAction {
  readonly actionId: bigint
  readonly rootId: bigint
  readonly instrumentId: number
}

/** What a chain of corrections has given a holder so far. */
export interface GivenBefore {
  readonly actionId: bigint
  readonly amount: bigint
  readonly at: Date
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
      `insert into trading.corporate_actions (action_id, root_id, corrects, instrument_id, kind, due_on)
       values ($1, coalesce((select root_id from trading.corporate_actions where action_id = $2), $2, $1), $2, $3, $4, $5)
       on conflict (action_id) do nothing`,
      [action.id, action.corrects, action.instrumentId, action.kind, dueOn(action)],
    )
  }
}

function dueOn(action: CorporateAction): string {
  if (action.kind === 'split') return action.exDate
  if (action.kind === 'dividend') return action.payDate ?? action.exDate
  return action.on
}

/** Oldest first. Those that were corrected before they were due are left out: see `closeSuperseded`. */
export async function readDue(q: Queryable, today: string, limit: number): Promise<DueAction[]> {
  const { rows } = await q.query<{ action_id: bigint; root_id: bigint; instrument_id: number }>(
    `select action_id, root_id, instrument_id from trading.corporate_actions
      where done_at is null and due_on <= $1 order by due_on, action_id limit $2`,
    [today, limit],
  )
  return rows.map((row) => ({
    actionId: row.action_id,
    rootId: row.root_id,
    instrumentId: row.instrument_id,
  }))
}

export async function closeSuperseded(q: Queryable, now: Date): Promise<void> {
  await q.query(
    `update trading.corporate_actions action set done_at = $1
      where done_at is null and exists (select from trading.corporate_actions later
                                         where later.root_id = action.root_id and later.action_id > action.action_id)`,
    [now],
  )
}

/** Those of instruments that nobody ever held, at once: a provider's history has thousands. */
export async function closeUnheld(q: Queryable, today: string, now: Date): Promise<void> {
  await q.query(
    `update trading.corporate_actions action set done_at = $2
      where done_at is null and due_on <= $1 and kind in ('split', 'dividend')
        and not exists (select from trading.positions where positions.instrument_id = action.instrument_id)`,
    [today, now],
  )
}

export async function closeAction(q: Queryable, actionId: bigint, now: Date): Promise<void> {
  await q.query(`update trading.corporate_actions set done_at = $2 where action_id = $1`, [actionId, now])
}

/** Everybody who ever held it, by wallet: what was sold since may still be entitled. */
export async function readHolders(
  q: Queryable,
  instrumentId: number,
  afterWallet: bigint,
  limit: number,
): Promise<bigint[]> {
  const { rows } = await q.query<{ wallet_id: bigint }>(
    `select wallet_id from trading.positions where instrument_id = $1 and wallet_id > $2
      order by wallet_id limit $3`,
    [instrumentId, afterWallet, limit],
  )
  return rows.map(({ wallet_id }) => wallet_id)
}

export async function readGiven(q: Queryable, rootId: bigint, walletId: bigint): Promise<GivenBefore[]> {
  const { rows } = await q.query<{ action_id: bigint; amount: bigint; at: Date }>(
    `select action_id, amount, at from trading.corporate_action_postings where root_id = $1 and wallet_id = $2`,
    [rootId, walletId],
  )
  return rows.map(({ action_id, amount, at }) => ({ actionId: action_id, amount, at }))
}

/** Shares that splits of before this day gave only after it had begun: they were known too late. */
export async function readLateSplitShares(
  q: Queryable,
  held: { readonly walletId: bigint; readonly instrumentId: number },
  exDate: string,
  exStart: Date,
): Promise<bigint> {
  const { rows } = await q.query<{ shares: string }>(
    `select coalesce(sum(posting.amount), 0) as shares
       from trading.corporate_action_postings posting join trading.corporate_actions action using (action_id)
      where posting.wallet_id = $1 and action.instrument_id = $2 and action.kind = 'split'
        and action.due_on < $3 and posting.at >= $4`,
    [held.walletId, held.instrumentId, exDate, exStart],
  )
  return BigInt(rows[0]?.shares ?? '0')
}

export async function insertGiven(
  tx: Tx,
  given: {
    readonly rootId: bigint
    readonly actionId: bigint
    readonly walletId: bigint
    readonly entitled: bigint
    readonly amount: bigint
    readonly at: Date
  },
): Promise<void> {
  await tx.query(
    `insert into trading.corporate_action_postings (root_id, action_id, wallet_id, entitled, amount, at)
     values ($1, $2, $3, $4, $5, $6)`,
    [given.rootId, given.actionId, given.walletId, given.entitled, given.amount, given.at],
  )
}
