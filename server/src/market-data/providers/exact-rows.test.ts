import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseExactJson } from './exact-json.ts'
import { CutRows, parseExactRows } from './exact-rows.ts'

const read = async (text: string) => {
  const { body, rows } = await parseExactRows(text)
  return {
    body,
    rows: rows instanceof CutRows ? [...rows] : rows,
    count: rows instanceof CutRows ? rows.length : null,
  }
}

const flat = fc.record({
  T: fc.string(),
  n: fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
})
const nested = fc.record({
  T: fc.string(),
  day: fc.record({ c: fc.integer() }),
  list: fc.array(fc.integer()),
})

test.each([
  ['flat ones', flat],
  ['nested ones', nested],
  ['both', fc.oneof(flat, nested)],
] as const)('rows read in slices are those of the answer read whole: %s', async (_name, row) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(row, { maxLength: 120 }),
      fc.constantFrom(undefined, 1),
      async (results, space) => {
        const text = JSON.stringify({ status: 'OK', results, request_id: '[{"results":[' }, null, space)
        const whole = parseExactJson(text)
        const { body, rows, count } = await read(text)
        expect(rows).toEqual((whole as { results: unknown[] }).results)
        expect([null, results.length]).toContain(count)
        expect(body).toMatchObject({ status: 'OK', request_id: '[{"results":[' })
      },
    ),
  )
})

test.each([
  '{"results":[{"a":1},',
  '{"results":[{"a":1}',
  '{"results":[{"a":1} {"a":2}]}',
  '{"results":[{"a":}]}',
])('what is not JSON is refused: %s', async (text) => {
  await expect(read(text)).rejects.toMatchObject({ code: 'not_json' })
})

test.each([
  ['{"status":"OK"}', undefined],
  ['{"status":"OK","results":[]}', []],
  ['{"status":"OK","results":null}', null],
])('%s', async (text, rows) => {
  expect((await read(text)).rows).toEqual(rows)
})
