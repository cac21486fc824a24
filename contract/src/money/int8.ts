/** The greatest amount in minor units that a PostgreSQL bigint, and so an account, can hold. */
export const INT8_MAX = 2n ** 63n - 1n

/** The least one: one step further from zero than the greatest. */
export const INT8_MIN = -(2n ** 63n)

/** Whether an amount in minor units fits the database's bigint. What does not is refused, never wrapped. */
export function fitsInt8(minor: bigint): boolean {
  return minor >= INT8_MIN && minor <= INT8_MAX
}
