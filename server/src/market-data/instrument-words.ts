/** A search of more words than this names nothing more exactly. */
const TOKENS_MAX = 6
const WORDS_MAX = 12

/** Letters and digits in lower case, accents taken off: `Nestlé S.A.` → nestle, s, a. */
function wordsOf(text: string): string[] {
  const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
  return plain.match(/[\p{L}\p{N}]+/gu) ?? []
}

export const FORMER_TICKER_PLACE = 100

/** What an instrument is found by: [word, place], place 0 being its ticker (see 0020-market-data-stocks.sql). */
export function instrumentWords(instrument: {
  readonly ticker: string
  readonly name: string
  readonly formerTickers?: readonly string[]
}): { word: string; place: number }[] {
  const words = new Map<string, { word: string; place: number }>()
  const add = (word: string, place: number) => {
    const key = `${word} ${place}`
    if (!words.has(key)) words.set(key, { word, place })
  }
  add(instrument.ticker.toLowerCase(), 0)
  for (const [index, word] of wordsOf(instrument.name).slice(0, WORDS_MAX).entries()) add(word, index + 1)
  for (const ticker of instrument.formerTickers ?? []) add(ticker.toLowerCase(), FORMER_TICKER_PLACE)
  return [...words.values()]
}

/** The words of a search, each to be the beginning of one of the instrument's. */
export function searchTokens(text: string): string[] {
  return [...new Set(wordsOf(text))].slice(0, TOKENS_MAX)
}
