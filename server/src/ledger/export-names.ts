import { accountParts, CUSTOMER_WALLET_ID_MIN, PURPOSE } from './account-id.ts'

/**
 * Names that hledger, ledger and beancount all accept; beancount is the strictest: five roots, components of letters,
 * digits and dashes that begin with a capital or a digit, commodities of 2 to 24 capitals, digits and `'._-`.
 */

const PURPOSE_NAMES: ReadonlyMap<number, string> = new Map([
  [PURPOSE.available, 'Available'],
  [PURPOSE.reserved, 'Reserved'],
  [PURPOSE.funding, 'Funding'],
  [PURPOSE.conversion, 'Conversion'],
  [PURPOSE.fees, 'Fees'],
  [PURPOSE.brokerage, 'Brokerage'],
  [PURPOSE.rounding, 'Rounding'],
  [PURPOSE.withholding, 'Withholding'],
])

/**
 * Signs are the ledger's own: what a customer has is positive, and the house is its mirror. So customers are under
 * Assets and the house under Equity, and each amount reads as it does in the API.
 */
export function accountName(id: bigint): string {
  const { walletId, purpose } = accountParts(id)
  const purposeName = PURPOSE_NAMES.get(purpose) ?? pocketName(purpose)
  if (walletId >= CUSTOMER_WALLET_ID_MIN) return `Assets:Customers:${walletId}:${purposeName}`
  return walletId === 1n ? `Equity:House:${purposeName}` : `Equity:House:${walletId}:${purposeName}`
}

function pocketName(purpose: number): string {
  return purpose >= PURPOSE.pocketFirst ? `Pocket-${purpose - PURPOSE.pocketFirst}` : `Purpose-${purpose}`
}

const COMMODITY = /^[A-Z][A-Z0-9'._-]{0,22}[A-Z0-9]$/

/** A ticker that is no commodity for beancount goes by its asset's id, which never changes and collides with nothing. */
export function commodityName(asset: { id: number; code: string }): string {
  return COMMODITY.test(asset.code) ? asset.code : `ASSET-${asset.id}`
}

/** hledger and ledger take letters bare, and the rest in quotes. */
export function quotedCommodity(name: string): string {
  return /^[A-Z]+$/.test(name) ? name : `"${name}"`
}
