import type { Queryable } from '#db'

/**
 * What the events of a ledger have to be, written apart from the code that makes them: from the journals alone, by
 * its own arithmetic. One line per event, party and asset, in order.
 */
export async function eventLines(q: Queryable): Promise<string[]> {
  const { rows: journals } = await q.query<{ seq: bigint; ms: bigint; kind: number; postings: bigint[] }>(
    `select seq, (extract(epoch from recorded_at) * 1000)::int8 ms, kind, postings from ledger.journals order by seq`,
  )
  const { rows: assets } = await q.query<{ id: number; code: string; scale: number }>(
    'select id, code, scale from ledger.assets',
  )
  const assetOf = new Map(assets.map((asset) => [BigInt(asset.id), asset]))
  const held = new Map<string, bigint>()
  return journals.flatMap(({ seq, ms, kind, postings }) => {
    const moved = new Map<string, { wallet: bigint; asset: bigint; total: bigint; available: bigint }>()
    for (let at = 0; at < postings.length; at += 3) {
      const amount = postings[at + 2] ?? 0n
      for (const [account, change] of [
        [postings[at] ?? 0n, 0n - amount],
        [postings[at + 1] ?? 0n, amount],
      ] as const) {
        const [wallet, asset, purpose] = [account / 134217728n, (account / 128n) % 1048576n, account % 128n]
        const place = `${wallet}/${asset}/${purpose}`
        held.set(place, (held.get(place) ?? 0n) + change)
        if (wallet < 1000n) continue
        const sum = moved.get(`${wallet}/${asset}`) ?? { wallet, asset, total: 0n, available: 0n }
        sum.total += change
        if (purpose === 0n) sum.available += change
        moved.set(`${wallet}/${asset}`, sum)
      }
    }
    const all = [...moved.values()]
    return all.map(({ wallet, asset, total, available }) => {
      const isWithin = all.filter((other) => other.wallet === wallet).every((other) => other.total === 0n)
      const { code, scale } = assetOf.get(asset) ?? { code: '?', scale: 0 }
      const write = (minor: bigint) => `${decimal(minor, scale)} ${code}`
      const holds = [0, 1].map((purpose) => write(held.get(`${wallet}/${asset}/${purpose}`) ?? 0n))
      const shown = isWithin ? available : total
      return [seq, ms, kind, wallet, shown === 0n ? `0 ${code}` : write(shown), ...holds].join(' ')
    })
  })
}

function decimal(minor: bigint, scale: number): string {
  const digits = String(minor < 0n ? 0n - minor : minor).padStart(scale + 1, '0')
  const sign = minor < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
}
