const STORE = 'kantor.lastPair'

export interface Pair {
  from: string
  to: string
}

/** The pair converted last on this device comes first the next time. */
export function lastPair(): Pair | null {
  try {
    const [from, to] = (localStorage.getItem(STORE) ?? '').split('/')
    return from && to ? { from, to } : null
  } catch {
    return null
  }
}

export function rememberPair({ from, to }: Pair): void {
  try {
    localStorage.setItem(STORE, `${from}/${to}`)
  } catch {
    // Storage may be blocked; the pair is then the wallet's first two.
  }
}

/** What the page opens with: the address's pair, the last one, or the wallet's own. */
export function openingPair(asked: Partial<Pair>, held: readonly string[], base: string): Pair {
  const usual = lastPair()
  const from = asked.from ?? usual?.from ?? held[0] ?? base
  const wanted = asked.to ?? (usual?.from === from ? usual.to : undefined)
  const to =
    wanted ?? held.find((code) => code !== from) ?? (base !== from ? base : from === 'EUR' ? 'USD' : 'EUR')
  return { from, to: to === from ? (from === 'EUR' ? 'USD' : 'EUR') : to }
}
