import { openDatabase, type ConnectionOptions, type Queryable } from '#db'

/** The longest that one statement may take: sorting all postings is one. */
const STATEMENT_TIMEOUT_MS = 3_600_000

/** Reads one snapshot of everything, on a connection of its own that may take its time. */
export async function longSnapshot<Result>(
  options: ConnectionOptions,
  read: (q: Queryable) => Promise<Result>,
): Promise<Result> {
  const database = openDatabase({
    ...options,
    connectionsMax: 1,
    random: () => 0,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
  })
  try {
    return await database.snapshot(read)
  } finally {
    await database.close()
  }
}
