import { Resolver } from 'node:dns/promises'
import type { LookupAddress } from 'node:dns'
import { callbackify } from 'node:util'
import type { Resolve } from './public-address.ts'

const TRIES = 2
const TRY_MS = 3_000

/**
 * Asks the system's name servers over sockets. Not by the system's own look-up, of which a process makes two at a time:
 * a few addresses of customers whose name servers never answer would keep everybody else's from being found, and the
 * rate providers'.
 */
export function askNameServers(servers?: readonly string[]): Resolve {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  if (servers !== undefined) resolver.setServers(servers)
  return callbackify(async (hostname: string) => {
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    const addresses = [...found(four, 4), ...found(six, 6)]
    if (addresses.length === 0 && four.status === 'rejected') throw four.reason
    return addresses
  })
}

function found(answer: PromiseSettledResult<string[]>, family: 4 | 6): LookupAddress[] {
  return answer.status === 'rejected' ? [] : answer.value.map((address) => ({ address, family }))
}
