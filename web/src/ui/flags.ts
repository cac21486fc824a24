import { currencyByCode } from '@kantor/contract/money'

// Addresses only: the browser fetches a flag when it is drawn, and the bundle holds none.
const files = import.meta.glob<string>('~flags/[A-Z][A-Z].svg', {
  query: '?url',
  import: 'default',
  eager: true,
})

const addresses = new Map(
  Object.entries(files).map(([path, address]) => [
    path.slice(path.lastIndexOf('/') + 1, -'.svg'.length),
    address,
  ]),
)

/** The address of the flag that is usual for an asset code, or null: crypto, funds, shared currencies. */
export function flagOf(assetCode: string): string | null {
  const country = currencyByCode(assetCode)?.flag ?? null
  return country === null ? null : (addresses.get(country) ?? null)
}
