import type { Database } from '#db'
import { createBatchLookup, customerNameAt, findCustomerByHandleOrEmail, maskName } from '#identity'
import { readPayees } from './queries.ts'
import type { PersonRow } from './queries.ts'

/** Somebody who can be sent to. */
export interface Person {
  readonly walletId: bigint
  readonly handle: string
  /** Masked. */
  readonly name: string
}

export interface People {
  /** By `@handle`, `handle` or e-mail address, as they are at the moment of asking; null where there is nobody. */
  byReference(reference: string): Promise<Person | null>
  /** The owner of a wallet, as they were called then. */
  ownerAt(walletId: bigint, at: Date): Promise<Person>
}

/** Look-ups under way at once; those that come meanwhile share the next one. */
const LOOKUPS_AT_ONCE = 2
const PEOPLE_PER_LOOKUP_MAX = 1_000
const PEOPLE_WAITING_MAX = 20_000
const MASKS_MAX = 10_000

/**
 * At 10,000 transfers a second no payee can be asked for alone. Not cached, though: a handle can be given up and
 * taken by somebody else, and money must not follow the old sign.
 */
export function findPeople(db: Database): People {
  const lookup = createBatchLookup<Person>({
    load: async (handles) =>
      new Map((await readPayees(db, handles)).map((row) => [row.handle, personOf(row)])),
    loadsAtOnce: LOOKUPS_AT_ONCE,
    keysPerLoadMax: PEOPLE_PER_LOOKUP_MAX,
    waitingMax: PEOPLE_WAITING_MAX,
  })
  return {
    byReference: async (reference) =>
      reference.includes('@', 1)
        ? byEmail(db, reference)
        : ((await lookup(reference.replace('@', ''))) ?? null),
    ownerAt: async (walletId, at) => {
      const called = await customerNameAt(db, walletId, at)
      if (called === null) throw new Error(`wallet ${walletId} was paid and has no owner`)
      return personOf({ number: walletId, ...called })
    },
  }
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
