import type { Database } from '#db'
import { createBatchLookup, findCustomerByHandleOrEmail, maskName } from '#identity'
import { readPeople } from './queries.ts'
import type { PersonRow } from './queries.ts'

/** Somebody who can send and be sent to. */
export interface Person {
  readonly walletId: bigint
  readonly handle: string
  /** Masked. */
  readonly name: string
}

/** Finds people as they are at the moment of asking; null where there is nobody. */
export interface People {
  byWallet(walletId: bigint): Promise<Person | null>
  /** By `@handle`, `handle` or e-mail address. */
  byReference(reference: string): Promise<Person | null>
}

/** Look-ups under way at once; those that come meanwhile share the next one. */
const LOOKUPS_AT_ONCE = 2
const PEOPLE_PER_LOOKUP_MAX = 1_000
const PEOPLE_WAITING_MAX = 20_000
const MASKS_MAX = 10_000

/**
 * A transfer has to know two people, and at 10,000 transfers a second nobody can be asked for one at a time. Not
 * cached, though: a handle can be given up and taken by somebody else, and money must not follow the old sign.
 */
export function findPeople(db: Database): People {
  const lookup = createBatchLookup<Person>({
    load: (keys) => loadPeople(db, keys),
    loadsAtOnce: LOOKUPS_AT_ONCE,
    keysPerLoadMax: PEOPLE_PER_LOOKUP_MAX,
    waitingMax: PEOPLE_WAITING_MAX,
  })
  return {
    byWallet: async (walletId) => (await lookup(walletKey(walletId))) ?? null,
    byReference: async (reference) =>
      reference.includes('@', 1)
        ? byEmail(db, reference)
        : ((await lookup(reference.replace('@', ''))) ?? null),
  }
}

/** A handle begins with a letter, so a number is never one. */
function walletKey(walletId: bigint): string {
  return walletId.toString()
}

async function loadPeople(db: Database, keys: readonly string[]): Promise<ReadonlyMap<string, Person>> {
  const isWallet = (key: string) => key.charCodeAt(0) <= 0x39
  const people = await readPeople(
    db,
    keys.filter((key) => !isWallet(key)),
    keys.filter(isWallet).map(BigInt),
  )
  const found = new Map<string, Person>()
  for (const row of people) {
    const person = personOf(row)
    found.set(person.handle, person)
    found.set(walletKey(person.walletId), person)
  }
  return found
}

/** One at a time: addresses are what people type, handles are what programs send thousands of. */
async function byEmail(db: Database, email: string): Promise<Person | null> {
  const customer = await findCustomerByHandleOrEmail(db, email)
  return customer === null ? null : personOf(customer)
}

/** Masks by name. Finding where characters end was a tenth of a transfer's processor time in this process. */
const masks = new Map<string, string>()

function personOf({ number, handle, name }: PersonRow): Person {
  let mask = masks.get(name)
  if (mask === undefined) {
    mask = maskName(name)
    if (masks.size >= MASKS_MAX) masks.clear()
    masks.set(name, mask)
  }
  return { walletId: number, handle, name: mask }
}
