import type { Database, Tx } from '#db'

/** Kills its own backend before some statement of a tx, which is what a process that dies there looks like. */
export function dyingDatabase(
  db: Database,
  kill: (pid: number) => Promise<void>,
  isTime: () => boolean,
): Database {
  return {
    ...db,
    query: db.query.bind(db),
    transaction: (work) =>
      db.transaction(async (tx) => {
        const { rows } = await tx.query<{ pid: number }>('select pg_backend_pid() as pid')
        const query: Tx['query'] = async (statement, values) => {
          if (isTime()) await kill(rows[0]?.pid ?? 0)
          return tx.query(statement, values)
        }
        return work({ query } as Tx)
      }),
  }
}
