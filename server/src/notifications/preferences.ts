import { NOTICE_CHANNELS, NOTICE_KINDS } from '@kantor/contract/api'
import type {
  NoticeChannel,
  NoticeKind,
  NoticePreferences,
  UpdateNoticePreferencesRequest,
} from '@kantor/contract/api'
import type { Database, Queryable, Tx } from '#db'

/** Mail is for what somebody would want to be woken for; the rest may be had by asking. */
const MAILED: ReadonlySet<NoticeKind> = new Set([
  'money_received',
  'rule_failed',
  'signed_in',
  'webhook_disabled',
])

/** What holds for whoever said nothing. A browser that asked to be pushed to has asked for everything. */
const isUsual = (kind: NoticeKind, channel: NoticeChannel): boolean => channel !== 'mail' || MAILED.has(kind)

export interface PreferenceDeps {
  readonly db: Database
  readonly mailAvailable: boolean
  readonly pushPublicKey: string | null
}

/** By which ways a kind is told to the owner of one of these wallets. */
export type ChannelsFor = (walletId: bigint, kind: NoticeKind) => ReadonlySet<NoticeChannel>

export async function readChannels(q: Queryable, walletIds: readonly bigint[]): Promise<ChannelsFor> {
  const said = await selectPreferences(q, walletIds)
  return (walletId, kind) =>
    new Set(
      NOTICE_CHANNELS.filter((channel) => said.get(keyOf(walletId, kind, channel)) ?? isUsual(kind, channel)),
    )
}

export async function showPreferences(
  { mailAvailable, pushPublicKey, ...deps }: PreferenceDeps,
  walletId: bigint,
  q: Queryable = deps.db,
): Promise<NoticePreferences> {
  const channelsFor = await readChannels(q, [walletId])
  const items = NOTICE_KINDS.map((kind) => {
    const channels = channelsFor(walletId, kind)
    return { kind, inApp: channels.has('inApp'), mail: channels.has('mail'), push: channels.has('push') }
  })
  return { items, mailAvailable, pushPublicKey }
}

/** All changes or none; of two for one kind and channel the later holds. */
export async function changePreferences(
  deps: PreferenceDeps,
  walletId: bigint,
  { changes }: UpdateNoticePreferencesRequest,
): Promise<NoticePreferences> {
  const last = new Map(changes.map((change) => [keyOf(walletId, change.kind, change.channel), change]))
  return deps.db.transaction(async (tx) => {
    await upsertPreferences(tx, walletId, [...last.values()])
    return showPreferences(deps, walletId, tx)
  })
}

const keyOf = (walletId: bigint, kind: string, channel: string) => `${walletId} ${kind} ${channel}`

async function selectPreferences(
  q: Queryable,
  walletIds: readonly bigint[],
): Promise<ReadonlyMap<string, boolean>> {
  const { rows } = await q.query<{ walletId: bigint; kind: string; channel: string; enabled: boolean }>({
    name: 'notifications.preferences_of_wallets',
    text: `
      select wallet_id as "walletId", kind, channel, enabled from notifications.preferences
      where wallet_id = any ($1::bigint[])`,
    values: [[...new Set(walletIds)]],
  })
  return new Map(
    rows.map(({ walletId, kind, channel, enabled }) => [keyOf(walletId, kind, channel), enabled]),
  )
}

async function upsertPreferences(
  tx: Tx,
  walletId: bigint,
  changes: UpdateNoticePreferencesRequest['changes'],
): Promise<void> {
  await tx.query(
    `insert into notifications.preferences (wallet_id, kind, channel, enabled)
     select $1, kind, channel, enabled
       from unnest($2::text[], $3::text[], $4::boolean[]) as said (kind, channel, enabled)
      order by kind, channel
         on conflict (wallet_id, kind, channel) do update set enabled = excluded.enabled`,
    [
      walletId,
      changes.map(({ kind }) => kind),
      changes.map(({ channel }) => channel),
      changes.map(({ enabled }) => enabled),
    ],
  )
}
