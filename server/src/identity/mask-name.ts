const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const SHORT_WORD_LENGTH = 3

/**
 * A name that lets a payer see whether it is the right person, and nobody else learn who it is: `Ed** K******`.
 * The first word keeps two characters (one if it is short), the others one; each word hides at least one,
 * so a name of one letter shows nothing. Characters as people count them: an accent or an emoji is not cut.
 */
export function maskName(name: string): string {
  const words = name.split(/\s+/u).filter((word) => word !== '')
  return words.map((word, index) => maskWord(word, index === 0 ? 2 : 1)).join(' ')
}

function maskWord(word: string, shownMax: number): string {
  const characters = [...segmenter.segment(word)].map(({ segment }) => segment)
  const shown = Math.min(characters.length <= SHORT_WORD_LENGTH ? 1 : shownMax, characters.length - 1)
  return characters.slice(0, shown).join('') + '*'.repeat(characters.length - shown)
}
