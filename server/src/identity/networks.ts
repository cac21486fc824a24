import { isIPv4, isIPv6 } from 'node:net'

const GROUPS = 8
const GROUPS_OF_64_BITS = 4

/**
 * What one party can be assumed to hold: an IPv4 address, or the /64 of an IPv6 one, since every host gets to
 * choose among 2^64. `::ffff:a.b.c.d` is the IPv4 address that it stands for.
 */
export function networkOf(ip: string): string {
  const address = ip.split('%', 1)[0] ?? ''
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1]
  if (mapped !== undefined && isIPv4(mapped)) return mapped
  if (!isIPv6(address)) return address
  // The URL parser writes an address in its one canonical form, with a dotted tail made hexadecimal.
  const canonical = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = canonical.split('::', 2)
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = Array.from({ length: GROUPS - before.length - after.length }, () => '0')
  return `${[...before, ...zeros, ...after].slice(0, GROUPS_OF_64_BITS).join(':')}::/64`
}
