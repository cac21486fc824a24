export interface AssetChoice {
  code: string
  name: string
  /** What can be spent of it; left out for assets that are not held. */
  available?: string
}

const plain = (text: string) =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    // The one Polish letter that does not decompose.
    .replaceAll('ł', 'l')
    .replaceAll('Ł', 'L')
    .toLowerCase()

function rank(choice: AssetChoice, search: string): number {
  const code = choice.code.toLowerCase()
  if (code === search) return 0
  if (code.startsWith(search)) return 1
  const name = plain(choice.name)
  if (name.split(/\s+/u).some((word) => word.startsWith(search))) return 2
  return name.includes(search) ? 3 : 4
}

/** Best first: the code, its beginning, a word's beginning, anywhere; `zloty` finds złoty. */
export function matchAssets<Choice extends AssetChoice>(
  choices: readonly Choice[],
  search: string,
): Choice[] {
  const wanted = plain(search.trim())
  if (wanted === '') return [...choices]
  return choices
    .map((choice, order) => ({ choice, order, rank: rank(choice, wanted) }))
    .filter((entry) => entry.rank < 4)
    .toSorted((a, b) => a.rank - b.rank || a.order - b.order)
    .map((entry) => entry.choice)
}
