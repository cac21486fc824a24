import { XMLParser, XMLValidator } from 'fast-xml-parser'
import { z } from 'zod'
import { readShape } from './exact-json.ts'
import { fingerprint } from './fingerprint.ts'
import { fetchText } from './fetch-text.ts'
import { ProviderError, type RateProvider, type RateSnapshotDraft } from './rate-provider.ts'
import { isCalendarDay, zonedMoment } from './zoned-time.ts'

export interface EcbOptions {
  /** The folder that holds the files: `https://www.ecb.europa.eu/stats/eurofxref`. */
  readonly url: string
  readonly deadlineSeconds?: number
  readonly bodyBytesMax?: number
}

const rateCube = z.object({ currency: z.string(), rate: z.string() })
const dayCube = z.object({
  time: z.string().refine(isCalendarDay, 'must be a day'),
  Cube: z.array(rateCube).min(1),
})
const envelope = z.object({
  Envelope: z.object({ Cube: z.tuple([z.object({ Cube: z.array(dayCube).min(1) })]) }),
})

/** Reference rates of the European Central Bank: about 30 currencies against EUR, once each working day. */
export function ecbProvider(options: EcbOptions): RateProvider {
  const read = async (file: string, signal: AbortSignal) => {
    const root = options.url.replace(/\/(?:eurofxref-daily\.xml)?\/*$/, '')
    const answer = await fetchText({
      url: new URL(`${root}/${file}`),
      signal,
      deadlineSeconds: options.deadlineSeconds ?? 15,
      bodyBytesMax: options.bodyBytesMax ?? 2_000_000,
    })
    if (answer.status !== 200) {
      const kind = answer.status >= 500 || answer.status === 429 ? 'transient' : 'bad_answer'
      throw new ProviderError(kind, `http_${answer.status}`, `The provider answered HTTP ${answer.status}.`)
    }
    return daysOf(answer.text)
  }
  return {
    name: 'ecb',
    kind: 'daily',
    simulated: false,
    intervalSeconds: 3600,
    requestsPerMonth: null,
    configuredAs: fingerprint(options.url),
    async latest(signal) {
      const newest = (await read('eurofxref-daily.xml', signal)).at(-1)
      if (newest === undefined)
        throw new ProviderError('no_data', 'empty', 'The provider has no day to offer.')
      return newest
    },
    history: (signal) => read('eurofxref-hist-90d.xml', signal),
  }
}

/** Both files have the same tree, and quote attributes differently: a parser reads either. Oldest day first. */
function daysOf(text: string): RateSnapshotDraft[] {
  if (XMLValidator.validate(text) !== true)
    throw new ProviderError('bad_answer', 'not_xml', 'The answer is not XML.')
  const parser = new XMLParser({
    ignoreAttributes: false,
    attributeNamePrefix: '',
    // Rates stay text: a number would be a float.
    parseAttributeValue: false,
    removeNSPrefix: true,
    processEntities: false,
    isArray: (name) => name === 'Cube',
  })
  const document = readShape(envelope, parser.parse(text))
  return document.Envelope.Cube[0].Cube.map((day) => ({
    provider: 'ecb',
    // Concerted at 14:15 in Frankfurt, published at about 16:00:
    // https://www.ecb.europa.eu/stats/policy_and_exchange_rates/euro_reference_exchange_rates
    asOf: zonedMoment(day.time, '14:15', 'Europe/Berlin'),
    base: 'EUR',
    rates: day.Cube.map(({ currency, rate }) => ({ code: currency, rate, per: '1' })),
  })).toSorted((left, right) => left.asOf.getTime() - right.asOf.getTime())
}
