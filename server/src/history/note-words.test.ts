import { describe, expect, test } from 'vitest'
import { lookupOf, noteHasWords, noteTerms, wordsOf } from './note-words.ts'

describe('words are compared without case and marks', () => {
  test.each([
    ['Zażółć gęślą jaźń', ['zazolc', 'gesla', 'jazn']],
    ['ŁÓDŹ łódź', ['lodz']],
    ['Straße, ÆON; Ørsted', ['strasse', 'aeon', 'orsted']],
    ['rent 2026-11', ['rent', '2026', '11']],
    ['ﬁne Kelvin', ['fine', 'kelvin']],
    ['ΟΔΟΣ', ['οδοσ']],
    ['İstanbul', ['istanbul']],
    ['🎉 — !!!', []],
    ['', []],
  ])('%s', (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })
})

test.each([
  ['Rent for November', ['rent'], true],
  ['Rent for November', ['nov', 'ren'], true],
  ['Rent for November', ['ent'], false],
  ['Rent for November', ['rent', 'december'], false],
  ['pokój łódź', wordsOf('Łódź POKOJ'), true],
])('in %j, %j is found: %s', (note, searched, found) => {
  expect(noteHasWords(note, searched)).toBe(found)
})

test('every beginning of every word leads to a term of the note', () => {
  const note = 'a bc Herbata przelew wynagrodzenie 20261122 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 konstantynopolitańczykowianeczkówna'
  const terms = [...noteTerms(note)]
  for (const word of wordsOf(note)) {
    const characters = Array.from(word)
    for (let length = 1; length <= characters.length; length += 1) {
      const lookup = lookupOf(characters.slice(0, length).join(''))
      const isListed = terms.includes(lookup.listed)
      const isWord = terms.some((term) => !term.startsWith('^') && term.startsWith(lookup.first))
      expect(isListed).toBe(true)
      expect(lookup.exact || isWord).toBe(true)
    }
  }
})

test('a word longer than a term is found by its beginning', () => {
  const word = 'x'.repeat(100)
  const lookup = lookupOf(word)
  expect(lookup.exact).toBe(false)
  expect(noteTerms(word).has(lookup.first)).toBe(true)
})
