/** Letters that Unicode does not take apart into a plain one and a mark, as people type them without their marks. */
const PLAIN_LETTERS: Readonly<Record<string, string>> = {
  ł: 'l',
  đ: 'd',
  ð: 'd',
  ø: 'o',
  ħ: 'h',
  ı: 'i',
  ŧ: 't',
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  þ: 'th',
  ς: 'σ',
}

/** More than a note of 140 characters can hold; a bound for notes that come from elsewhere. */
const WORDS_MAX = 128
/** Longer words are found by their beginning and told apart by the note itself. */
const TERM_CHARS_MAX = 32
/** Beginnings that have a list of their own. Others are gathered from the words that begin so. */
const PREFIX_LENGTHS = [1, 2, 3, 4, 6, 8]

/**
 * The words of a text as they are compared: lower case, without marks (`Żółć` → `zolc`), each once, in order.
 * A word is a run of letters and digits of any script.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .normalize('NFKD')
    .toLowerCase()
    .normalize('NFKD')
    .replace(/\p{Mn}+/gu, '')
    .replace(/[łđðøħıŧßæœþς]/g, (letter) => PLAIN_LETTERS[letter] ?? letter)
  const words = new Set<string>()
  for (const [word] of plain.matchAll(/[\p{L}\p{N}]+/gu)) {
    words.add(word)
    if (words.size === WORDS_MAX) break
  }
  return [...words]
}

/** Whether each of the searched words is a word of the note or the beginning of one. */
export function noteHasWords(note: string, searched: readonly string[]): boolean {
  const words = wordsOf(note)
  return searched.every((beginning) => words.some((word) => word.startsWith(beginning)))
}

/** Under what a note is listed. */
export function noteTerms(note: string): Set<string> {
  const terms = new Set<string>()
  for (const word of wordsOf(note)) {
    const characters = Array.from(word).slice(0, TERM_CHARS_MAX)
    for (const length of PREFIX_LENGTHS) {
      if (length <= characters.length) terms.add(prefixTerm(characters, length))
    }
    if (characters.length > SHORT_WORD_CHARS) terms.add(characters.join(''))
  }
  return terms
}

/** Up to here every beginning has its list, so the word itself needs no other. */
const SHORT_WORD_CHARS = 4

/** Where to look for words that begin so. */
export interface WordLookup {
  /** One list that holds at least every match: exactly those when `exact`. */
  listed: string
  exact: boolean
  /** Otherwise the words from `first` on that begin with it, each with a list, if they are not too many. */
  first: string
}

export function lookupOf(searched: string): WordLookup {
  const characters = Array.from(searched).slice(0, TERM_CHARS_MAX)
  const length = PREFIX_LENGTHS.findLast((listed) => listed <= characters.length) ?? 1
  return {
    listed: prefixTerm(characters, length),
    exact: length === Array.from(searched).length,
    first: characters.join(''),
  }
}

function prefixTerm(characters: readonly string[], length: number): string {
  return `^${characters.slice(0, length).join('')}`
}

/** The list of one kind's operations that moved an asset. */
export function facetTerm(kind: number, assetId: number): string {
  return `#${kind}:${assetId}`
}
