import { types, type CustomTypesConfig } from 'pg'

/** Object ids of PostgreSQL's built-in types; they never change (src/include/catalog/pg_type.dat). */
const OID = {
  int8: 20,
  int8Array: 1016,
  date: 1082,
  dateArray: 1182,
  numericArray: 1231,
  textArray: 1009,
}

type Nested = string | null | Nested[]
type NestedBigint = bigint | null | NestedBigint[]

const parseTextArray: (text: string) => Nested[] = types.getTypeParser(OID.textArray)

function toBigints(value: Nested): NestedBigint {
  if (value === null) return null
  return Array.isArray(value) ? value.map(toBigints) : BigInt(value)
}

/**
 * Money is bigint, so int8 never passes through a float; the driver's own parser for numeric[] does, and
 * its parser for date makes an instant in the machine's time zone out of a day.
 */
const ours = new Map<number, (text: string) => unknown>([
  [OID.int8, BigInt],
  [OID.int8Array, (text) => parseTextArray(text).map(toBigints)],
  [OID.numericArray, parseTextArray],
  [OID.date, (text) => text],
  [OID.dateArray, parseTextArray],
])

/** Given to each pool, not set on the driver: a library that shares `pg` keeps the defaults that it expects. */
export const parsers: CustomTypesConfig = {
  getTypeParser: (oid: number, format?: 'text' | 'binary') => {
    const parser = format === 'binary' ? undefined : ours.get(oid)
    return parser ?? types.getTypeParser(oid, format)
  },
}
