import { hash } from 'node:crypto'
import { encodeDetail, hashLeaf, requireStorable } from './canonical.ts'
import { parseJournalId, type JournalIdParts } from './journal-id.ts'
import { JOURNAL_KINDS, type PostCommand, type Posting } from './types.ts'

/** A command with everything that can be computed before any lock is taken. */
export interface PreparedCommand {
  command: PostCommand
  kind: number
  keyHash: Buffer
  /** `keyHash` as a map key. */
  lookup: string
  /** The command's own, or `reversal:<seq>`: a journal is reversed once because this is unique. */
  consumes: string | null
  /** What `reverses` names; null when it names nothing that could exist. */
  original: JournalIdParts | null
  /** Accounts of the postings, each once. */
  accountIds: bigint[]
  opens: ReadonlySet<bigint>
  effectiveAtMicros: bigint | null
  detailJson: string | null
  /** from, to, amount; … as stored. */
  triples: bigint[]
  /** The leaf of the block's Merkle tree; null while an amount does not fit 64 bits, which decide() refuses. */
  leaf: Buffer | null
}

export const POSTINGS_MAX = 64
const TEXT_LENGTH_MAX = 255
const HASH_BYTES = 16
const INT8_MAX = 2n ** 63n - 1n

/** @throws TypeError for what only a bug could ask; everything that a customer can cause is a verdict instead. */
export function prepareCommand(command: PostCommand): PreparedCommand {
  checkShape(command)
  const kind = JOURNAL_KINDS[command.kind]
  const keyHash = hashKey(command.scope, command.key)
  const original = command.reverses === undefined ? null : parseJournalId(command.reverses)
  const consumes = original === null ? (command.consumes ?? null) : `reversal:${original.seq}`
  const effectiveAtMicros =
    command.effectiveAt === undefined ? null : BigInt(command.effectiveAt.getTime()) * 1000n
  const detail = command.detail === undefined ? null : encodeDetail(command.detail)
  const triples = command.postings.flatMap(({ from, to, amount }) => [from, to, amount])
  const leaf = command.postings.every(isStorable)
    ? hashLeaf({
        kind,
        scope: command.scope,
        keyHash,
        requestHash: command.requestHash,
        effectiveAtMicros,
        consumes,
        reverses: original?.seq ?? null,
        postings: triples,
        detail,
      })
    : null
  return {
    command,
    kind,
    keyHash,
    lookup: lookupOf(keyHash),
    consumes,
    original,
    accountIds: [...new Set(command.postings.flatMap(({ from, to }) => [from, to]))],
    opens: new Set(command.opens),
    effectiveAtMicros,
    detailJson: detail === null ? null : JSON.stringify(command.detail),
    triples,
    leaf,
  }
}

/** Scope and key in one hash: the unique index is 8 bytes a journal shorter than over both columns. */
function hashKey(scope: bigint, key: string): Buffer {
  return hash('sha256', `${scope}:${key}`, 'buffer').subarray(0, HASH_BYTES)
}

export function lookupOf(keyHash: Buffer): string {
  return keyHash.toString('latin1')
}

function isStorable(posting: Posting): boolean {
  return posting.amount > 0n && posting.amount <= INT8_MAX
}

function checkShape(command: PostCommand): void {
  const { key, consumes, postings, scope, requestHash, effectiveAt, notAfter } = command
  require(key.length >= 1 && key.length <= TEXT_LENGTH_MAX, `a key has 1 to ${TEXT_LENGTH_MAX} characters`)
  requireStorable(key)
  require(scope >= 0n && scope <= INT8_MAX, 'a scope is a wallet id or 0')
  require(requestHash.length === HASH_BYTES, `a request hash has ${HASH_BYTES} bytes`)
  require(postings.length >= 1 &&
    postings.length <= POSTINGS_MAX, `a command has 1 to ${POSTINGS_MAX} postings`)
  for (const { from, to } of postings) require(isAccountId(from) && isAccountId(to), 'not an account id')
  for (const id of command.opens ?? []) require(isAccountId(id), 'not an account id')
  if (consumes !== undefined) {
    require(consumes.length >= 1 && consumes.length <= TEXT_LENGTH_MAX, 'consumes is empty or too long')
    requireStorable(consumes)
    require(!consumes.startsWith('reversal:'), 'reversal: is what `reverses` consumes')
    require(command.reverses === undefined, 'a reversal consumes its original and nothing else')
  }
  require((command.kind === 'reversal') ===
    (command.reverses !== undefined), 'reversal and `reverses` go together')
  for (const moment of [effectiveAt, notAfter]) {
    require(moment === undefined || !Number.isNaN(moment.getTime()), 'an invalid date')
  }
}

function isAccountId(id: bigint): boolean {
  return id >= 1n << 27n && id <= INT8_MAX
}

function require(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(what)
}
