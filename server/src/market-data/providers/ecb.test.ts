import { describe, expect, test } from 'vitest'
import { ecbProvider } from './ecb.ts'
import { fakeFeed } from './fake-feed.ts'
import { hasRecorded, recorded } from './recorded.ts'

const feed = await fakeFeed()
const never = new AbortController().signal
const ecb = () => ecbProvider({ url: `${feed.url}/stats/eurofxref/`, bodyBytesMax: 200_000 })

const envelope = (days: string) => `<?xml version="1.0" encoding="UTF-8"?>
<gesmes:Envelope xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01" xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">
<gesmes:subject>Reference rates</gesmes:subject><Cube>${days}</Cube></gesmes:Envelope>`
const DAILY = envelope(
  `<Cube time='2026-11-20'><Cube currency='USD' rate='1.16420'/><Cube currency='JPY' rate='171.25'/></Cube>`,
)
const HISTORY = envelope(
  `<Cube time="2026-11-20"><Cube currency="USD" rate="1.1642"/></Cube>` +
    `<Cube time="2026-07-20"><Cube currency="USD" rate="1.1501"/></Cube>`,
)

test('the daily file is read to the digit, and dated at 14:15 in Frankfurt', async () => {
  feed.answer = () => ({ body: DAILY })
  feed.asked.length = 0
  await expect(ecb().latest(never)).resolves.toEqual({
    provider: 'ecb',
    asOf: new Date('2026-11-20T13:15:00Z'),
    base: 'EUR',
    rates: [
      { code: 'USD', rate: '1.16420', per: '1' },
      { code: 'JPY', rate: '171.25', per: '1' },
    ],
  })
  expect(feed.asked[0]?.path).toBe('/stats/eurofxref/eurofxref-daily.xml')
})

test('the history file, quoted otherwise, has the same content; oldest first, daylight saving minded', async () => {
  feed.answer = () => ({ body: HISTORY })
  const days = await ecb().history?.(never)
  expect(days?.map(({ asOf }) => asOf.toISOString())).toEqual([
    '2026-07-20T12:15:00.000Z',
    '2026-11-20T13:15:00.000Z',
  ])
})

const bomb = `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>`
test.each([
  ['cut off', DAILY.slice(0, 300), 'not_xml'],
  ['empty', '', 'not_xml'],
  ['plain text', 'Service unavailable', 'not_xml'],
  ['another document', '<html><body/></html>', 'unexpected_shape'],
  ['no days', envelope(''), 'unexpected_shape'],
  ['a day without rates', envelope(`<Cube time='2026-11-20'></Cube>`), 'unexpected_shape'],
  ['a day that is none', DAILY.replace('2026-11-20', '2026-13-45'), 'unexpected_shape'],
])('%s is refused', async (_name, body, code) => {
  feed.answer = () => ({ body })
  await expect(ecb().latest(never)).rejects.toMatchObject({ kind: 'bad_answer', code })
})

test('entities are never expanded', async () => {
  feed.answer = () => ({ body: bomb + DAILY.replace(/^.*\n/, '').replace("'1.16420'", "'&b;'") })
  const draft = await ecb()
    .latest(never)
    .catch(() => null)
  expect(JSON.stringify(draft)).not.toContain('aaaa')
})

test.each([
  [503, 'transient'],
  [429, 'transient'],
  [404, 'bad_answer'],
])('HTTP %i is %s', async (status, kind) => {
  feed.answer = () => ({ status })
  await expect(ecb().latest(never)).rejects.toMatchObject({ kind, code: `http_${status}` })
})

describe.runIf(hasRecorded)('recorded bodies', () => {
  test('daily', async () => {
    feed.answer = () => ({ body: recorded('ecb/eurofxref-daily.xml') })
    const draft = await ecb().latest(never)
    expect(draft.asOf.toISOString()).toBe('2015-01-07T13:15:00.000Z')
    expect(draft.rates).toHaveLength(31)
    expect(draft.rates).toContainEqual({ code: 'GBP', rate: '0.78230', per: '1' })
  })

  test('90 days', async () => {
    feed.answer = () => ({ body: recorded('ecb/eurofxref-hist-90d.xml') })
    const days = (await ecb().history?.(never)) ?? []
    expect(days.length).toBeGreaterThan(55)
    expect(days.at(-1)?.asOf.toISOString()).toBe('2019-11-29T13:15:00.000Z')
    expect(days.every(({ rates }) => rates.length === 32)).toBe(true)
  })
})
