import type { QueryConfig, QueryResult, QueryResultRow } from 'pg'

/** A prepared statement: PostgreSQL keeps its plan per connection under this name. */
export interface NamedStatement {
  name: string
  text: string
  values?: unknown[]
}

/** Anything that a statement can be sent to. A room's queries take this, so they run in or outside a tx. */
export interface Queryable {
  query<Row extends QueryResultRow>(
    statement: string | NamedStatement,
    values?: unknown[],
  ): Promise<QueryResult<Row>>
}

export function asConfig(statement: string | NamedStatement, values?: unknown[]): QueryConfig {
  const config = typeof statement === 'string' ? { text: statement } : statement
  return values === undefined ? config : { ...config, values }
}
