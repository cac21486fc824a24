import { DatabaseUnavailable } from '#db'

const KNOWN_MAX = 500_000

/**
 * Accounts that are known to exist, so that opening them need not be tried: they are never removed. One for all that
 * posts in a process.
 */
export class KnownAccounts {
  readonly #ids = new Set<bigint>()

  unknownOf(ids: Iterable<bigint>): bigint[] {
    return [...ids].filter((id) => !this.#ids.has(id))
  }

  /** Only what is committed, and not just opened in a tx that may still be undone. */
  remember(ids: Iterable<bigint>): void {
    if (this.#ids.size > KNOWN_MAX) this.#ids.clear()
    for (const id of ids) this.#ids.add(id)
  }

  /**
   * One that was known and is gone means another database, restored from earlier: all is looked at anew.
   * @throws DatabaseUnavailable, so that whoever can asks again
   */
  requireThere(missing: Iterable<bigint>): void {
    for (const id of missing) {
      if (!this.#ids.has(id)) continue
      this.#ids.clear()
      throw new DatabaseUnavailable('the database has changed under the process')
    }
  }
}
