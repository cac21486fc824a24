import type { NamedStatement } from '#db'
import type { QueryResult } from 'pg'
import { int2s, int8s, jsonbs, texts, timestamptzs, uuids } from './array-parameters.ts'
import type { AccountState, EntryDraft } from './decide.ts'
import { seqOf } from './journal-id.ts'
import type { PreparedCommand } from './prepare-command.ts'

/**
 * The statements of posting. All are prepared once per connection and planned so that only index look-ups are
 * possible (see POSTING_SETTINGS): a plan made while a table was empty must still be right when it holds a billion rows.
 */

/** Sends statements, in one go where the connection can, and gives their results in order. */
export type Run = (statements: NamedStatement[]) => Promise<QueryResult[]>

/** The first failure, in the statements' order: those behind it failed because of it. */
export function resultsOf(settled: PromiseSettledResult<QueryResult>[]): QueryResult[] {
  return settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
}

/**
 * Of every connection that posts: no sequential scan, no join but nested loops over indexes, no compilation, one plan
 * for all parameters; and whoever stops in the middle, a paused process for example, is cut off by the server, so that
 * it keeps its locks from the others for two seconds and not for ever.
 */
export const POSTING_SETTINGS: Readonly<Record<string, string>> = {
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  jit: 'off',
  plan_cache_mode: 'force_generic_plan',
  idle_in_transaction_session_timeout: '2000',
}

/** For a caller's tx, whose connection has other settings; they end with the tx. */
export function applySettings(): NamedStatement {
  const settings = Object.entries(POSTING_SETTINGS).map(
    ([name, value]) => `set_config('${name}', '${value}', true)`,
  )
  return { name: 'ledger_settings', text: `select ${settings.join(', ')}` }
}

/** Ascending, like the locks. An account of an asset that does not exist is not opened. */
export function openAccounts(accounts: { id: bigint; floor: bigint | null }[]): NamedStatement {
  return {
    name: 'ledger_open',
    text: `
      insert into ledger.accounts (id, floor)
      select wanted.id, wanted.floor
      from unnest($1::bigint[], $2::bigint[]) wanted (id, floor)
      join ledger.assets on assets.id = (wanted.id >> 7) & 1048575
      order by wanted.id
      on conflict (id) do nothing
      returning id`,
    values: [int8s(accounts.map(({ id }) => id)), int8s(accounts.map(({ floor }) => floor))],
  }
}

/** The first lock of the order. `no key`: nothing refers to an account's key, so readers of it need not wait. */
export function lockAccountRows(ascendingIds: bigint[]): NamedStatement {
  return {
    name: 'ledger_lock',
    text: `
      select id, balance, floor, version from ledger.accounts
      where id = any ($1::bigint[]) order by id for no key update`,
    values: [int8s(ascendingIds)],
  }
}

export function readAssets(assetIds: bigint[]): NamedStatement {
  return {
    name: 'ledger_assets',
    text: `select id, frozen_at is not null as frozen from ledger.assets where id = any ($1::bigint[])`,
    values: [int8s(assetIds)],
  }
}

/** What a `JournalRow` is made of. */
export const JOURNAL_COLUMNS = `
  journal.seq, journal.kind, journal.scope, journal.recorded_at as "recordedAt",
  journal.effective_at as "effectiveAt", uuid_send(journal.request_hash) as "requestHash", journal.postings,
  journal.reverses, (select recorded_at from ledger.journals where seq = journal.reverses) as "reversedAt",
  journal.detail`

export function readByKey(commands: PreparedCommand[]): NamedStatement {
  return {
    name: 'ledger_keys',
    text: `
      select ${JOURNAL_COLUMNS}, uuid_send(journal.key_hash) as "keyHash"
      from ledger.journals journal where journal.key_hash = any ($1::uuid[])`,
    values: [uuids(commands.map(({ keyHash }) => keyHash))],
  }
}

export function readConsumed(consumes: string[]): NamedStatement {
  return {
    name: 'ledger_consumed',
    text: `
      select wanted.consumes from unnest($1::text[]) wanted (consumes)
      where exists (select from ledger.journals where journals.consumes = wanted.consumes)`,
    values: [texts(consumes)],
  }
}

export function readOriginals(seqs: bigint[]): NamedStatement {
  return {
    name: 'ledger_originals',
    text: `select ${JOURNAL_COLUMNS} from ledger.journals journal where journal.seq = any ($1::bigint[])`,
    values: [int8s(seqs)],
  }
}

/** The last lock of the order, held to commit: whoever holds it is the only one that numbers and inserts. */
export function lockChainHead(): NamedStatement {
  return {
    name: 'ledger_head',
    text: `select height, last_recorded_at as "lastRecordedAt", hash from ledger.chain_head for update`,
  }
}

/** Postings travel as one flat array, and each journal takes its slice. */
export function insertJournals(
  journals: PreparedCommand[],
  height: bigint,
  recordedAtMicros: bigint,
): NamedStatement {
  let end = 0
  const ends = journals.map(({ triples }) => (end += triples.length))
  const orNull = <T>(values: (T | null)[], encode: (values: (T | null)[]) => Buffer) =>
    values.every((value) => value === null) ? null : encode(values)
  return {
    name: 'ledger_journals',
    text: `
      insert into ledger.journals
        (seq, scope, recorded_at, effective_at, reverses, key_hash, request_hash, kind, postings, consumes, detail)
      select $1::bigint + row.index - 1, row.scope, timestamptz 'epoch' + $2::bigint * interval '1 microsecond',
        row.effective_at, row.reverses, row.key_hash, row.request_hash, row.kind,
        ($3::bigint[])[row.last - row.length + 1 : row.last], row.consumes, row.detail
      from unnest($4::bigint[], $5::timestamptz[], $6::bigint[], $7::uuid[], $8::uuid[], $9::smallint[],
        $10::bigint[], $11::bigint[], $12::text[], $13::jsonb[])
        with ordinality row (scope, effective_at, reverses, key_hash, request_hash, kind, last, length, consumes,
          detail, index)`,
    values: [
      seqOf(height, 0),
      recordedAtMicros,
      int8s(journals.flatMap(({ triples }) => triples)),
      int8s(journals.map(({ command }) => command.scope)),
      orNull(
        journals.map(({ effectiveAtMicros }) => effectiveAtMicros),
        timestamptzs,
      ),
      orNull(
        journals.map(({ original }) => original?.seq ?? null),
        int8s,
      ),
      uuids(journals.map(({ keyHash }) => keyHash)),
      uuids(journals.map(({ command }) => command.requestHash)),
      int2s(journals.map(({ kind }) => kind)),
      int8s(ends.map(BigInt)),
      int8s(journals.map(({ triples }) => BigInt(triples.length))),
      orNull(
        journals.map(({ consumes }) => consumes),
        texts,
      ),
      orNull(
        journals.map(({ detailJson }) => detailJson),
        jsonbs,
      ),
    ],
  }
}

export function insertEntries(
  entries: EntryDraft[],
  journals: PreparedCommand[],
  height: bigint,
): NamedStatement {
  return {
    name: 'ledger_entries',
    text: `
      insert into ledger.entries (account_id, version, seq, amount, balance_after, kind)
      select * from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::smallint[])`,
    values: [
      int8s(entries.map(({ accountId }) => accountId)),
      int8s(entries.map(({ version }) => version)),
      int8s(entries.map(({ position }) => seqOf(height, position))),
      int8s(entries.map(({ amount }) => amount)),
      int8s(entries.map(({ balanceAfter }) => balanceAfter)),
      int2s(entries.map(({ position }) => journals[position]?.kind ?? 0)),
    ],
  }
}

export function updateAccounts(accounts: AccountState[]): NamedStatement {
  return {
    name: 'ledger_accounts',
    text: `
      update ledger.accounts set balance = decided.balance, version = decided.version
      from unnest($1::bigint[], $2::bigint[], $3::bigint[]) decided (id, balance, version)
      where accounts.id = decided.id`,
    values: [
      int8s(accounts.map(({ id }) => id)),
      int8s(accounts.map(({ balance }) => balance)),
      int8s(accounts.map(({ version }) => version)),
    ],
  }
}

export function sealBlock(block: {
  height: bigint
  sealedAtMicros: bigint
  journalCount: number
  previousHash: Buffer
  journalsRoot: Buffer
  hash: Buffer
}): NamedStatement {
  return {
    name: 'ledger_seal',
    text: `
      with block as (
        insert into ledger.blocks (height, sealed_at, journal_count, previous_hash, journals_root, hash)
        values ($1, timestamptz 'epoch' + $2::bigint * interval '1 microsecond', $3, $4, $5, $6)
        returning height, sealed_at, hash
      )
      update ledger.chain_head set height = block.height, last_recorded_at = block.sealed_at, hash = block.hash
      from block`,
    values: [
      block.height,
      block.sealedAtMicros,
      block.journalCount,
      block.previousHash,
      block.journalsRoot,
      block.hash,
    ],
  }
}
