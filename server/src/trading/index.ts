/** The trading room's door: orders in instruments and what is held of them. See README.md. */
export type { BaseRate, HoldingFill, Holdings, MinorMoney } from './holdings.ts'
