import { expect, test } from 'vitest'
import { maskName } from './mask-name.ts'

test.each([
  ['Edward Kowalski', 'Ed**** K*******'],
  ['Edyt Kowalska', 'Ed** K*******'],
  ['Ann Lee', 'A** L**'],
  ['Bo Li', 'B* L*'],
  ['X', '*'],
  ['A B', '* *'],
  ['  Żaneta   Ćwik ', 'Ża**** Ć***'],
  ['李小龙', '李**'],
  ['李', '*'],
  ['Żółw', 'Żó**'],
  ['محمد علي', 'مح** ع**'],
  ['👩‍👩‍👧 👍🏽', '* *'],
  ['', ''],
])('a masked name shows little and hides something of each word: %s → %s', (name, masked) => {
  expect(maskName(name)).toBe(masked)
})
