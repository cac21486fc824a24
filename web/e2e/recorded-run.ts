import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processesNaming, startKantorAt, type KantorAt } from '@kantor/server/test/real-input/kantor-at.ts'
import {
  ecbAnswers,
  FIXER_KEY,
  fixerAnswers,
  json,
  serveProvider,
  type ProviderServer,
} from '@kantor/server/test/real-input/provider-server.ts'
import {
  recordedEcb,
  recordedFixer,
  recording,
  type Recorded,
} from '@kantor/server/test/real-input/recordings.ts'

/** One provider's recording, and what is done with it. */
export interface Script {
  readonly name: string
  /** When the page says its rates are from: in Warsaw, in English. */
  readonly shownAsOf: string
  readonly startsAt: string
  /** After the age limit of its rates. */
  readonly tooLateAt: string
  readonly from: string
  readonly to: string
  /** As typed, with all digits of its currency. */
  readonly paid: string
  readonly receivedDigits: number
  readonly sent: string
  readonly recorded: () => Recorded
  readonly serve: () => Promise<ProviderServer>
  readonly settings: (providerUrl: string) => Readonly<Record<string, string>>
}

export const SCRIPTS: readonly Script[] = [
  {
    name: 'Fixer',
    shownAsOf: '24 Aug 2018, 08:24:11',
    startsAt: '2018-08-24T06:30:00Z',
    tooLateAt: '2018-08-24T08:25:00Z',
    from: 'USD',
    to: 'PLN',
    paid: '1234.56',
    receivedDigits: 2,
    sent: '321.09',
    recorded: recordedFixer,
    serve: () => serveProvider(fixerAnswers(() => json(recording('fixer/latest.json')))),
    settings: (url) => ({ RATES_PROVIDERS: 'fixer', FIXER_URL: url, FIXER_API_KEY: FIXER_KEY }),
  },
  {
    name: 'ECB',
    shownAsOf: '7 Jan 2015, 14:15:00',
    startsAt: '2015-01-07T16:00:00Z',
    tooLateAt: '2015-01-12T19:16:00Z',
    from: 'EUR',
    to: 'JPY',
    paid: '777.77',
    receivedDigits: 0,
    sent: '54321',
    recorded: recordedEcb,
    serve: () => serveProvider(ecbAnswers(() => ({ body: recording('ecb/eurofxref-daily.xml') }))),
    settings: (url) => ({ RATES_PROVIDERS: 'ecb', ECB_URL: `${url}/stats/eurofxref` }),
  },
]

export interface RecordedRun {
  readonly kantor: KantorAt
  readonly provider: ProviderServer
  /** Of this run alone; for exports too. */
  readonly folder: string
  /** Ends everything. @returns what still runs, which must be nothing */
  end(): Promise<string[]>
}

/** The provider over HTTP, and Kantor as `npm start` runs it, on a new embedded database, at the recorded moment. */
export async function beginRun(script: Script): Promise<RecordedRun> {
  const folder = await mkdtemp(join(tmpdir(), 'kantor-recorded-'))
  const provider = await script.serve()
  const kantor = await startKantorAt(script.startsAt, {
    KANTOR_DATA_DIR: folder,
    ...script.settings(provider.url),
  })
  const end = async () => {
    await kantor.stop()
    await provider.close()
    const left = await processesNaming(folder)
    await rm(folder, { recursive: true, force: true })
    return left
  }
  return { kantor, provider, folder, end }
}
