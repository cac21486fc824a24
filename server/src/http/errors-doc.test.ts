import { ERRORS } from '@kantor/contract/errors'
import { expect, test } from 'vitest'

test('docs/errors.md is the catalogue, in order of status', async () => {
  const rows = Object.entries(ERRORS)
    .toSorted(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, title, sentence }]) => `| \`${code}\` | ${status} | ${title} | ${sentence} |`)
  const page = `# Error codes

Generated from \`contract/src/errors.ts\`; \`npx vitest run errors-doc -u\` writes it anew.

Every refusal is an RFC 9457 \`application/problem+json\` document with our \`code\`. A code's status and sentence do not
change; new codes may be added, so treat one you do not know by its status.

| code | status | title | what it says |
| --- | --- | --- | --- |
${rows.join('\n')}
`
  await expect(page).toMatchFileSnapshot('../../../docs/errors.md')
})

test('every code says what happened in sentences, and none repeats another', () => {
  const sentences = Object.values(ERRORS).map(({ sentence }) => sentence)
  expect(new Set(sentences).size).toBe(sentences.length)
  for (const sentence of sentences) expect(sentence).toMatch(/^[A-Z].*\.$/)
})
