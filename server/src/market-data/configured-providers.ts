import { ecbProvider } from './providers/ecb.ts'
import { fixerProvider } from './providers/fixer.ts'
import { nbpProvider } from './providers/nbp.ts'
import type { RateProvider } from './providers/rate-provider.ts'
import { simulatedRates } from './providers/simulated-rates.ts'

export const RATE_PROVIDER_NAMES = ['fixer', 'ecb', 'nbp', 'simulated'] as const
export type RateProviderName = (typeof RATE_PROVIDER_NAMES)[number]

export interface RateProvidersConfig {
  /** In order of preference, as the operator listed them. */
  readonly names: readonly RateProviderName[]
  /** Default http://data.fixer.io, which is the host of fixer.io's own keys. */
  readonly fixerUrl?: string
  readonly fixerApiKey: string | null
  readonly fixerRequestsPerMonth?: number | null
  readonly ecbUrl?: string
  readonly nbpUrl?: string
  /** The simulated market is a function of this and the time. */
  readonly simulatedSeed?: number
  /** Whether the simulated market closes for the weekend. */
  readonly simulatedSessionHours?: boolean
  readonly clock: () => Date
}

const SEED = 20_261_122

/** The listed providers that can be asked, in order, and those left out with the reason. */
export function configuredProviders(config: RateProvidersConfig): {
  providers: RateProvider[]
  leftOut: { name: RateProviderName; why: string }[]
} {
  const providers: RateProvider[] = []
  const leftOut: { name: RateProviderName; why: string }[] = []
  for (const name of new Set(config.names)) {
    const provider = make(name, config)
    if (provider === null) leftOut.push({ name, why: 'FIXER_API_KEY is not set' })
    else providers.push(provider)
  }
  return { providers, leftOut }
}

function make(name: RateProviderName, config: RateProvidersConfig): RateProvider | null {
  const { clock } = config
  if (name === 'ecb')
    return ecbProvider({ url: config.ecbUrl ?? 'https://www.ecb.europa.eu/stats/eurofxref' })
  if (name === 'nbp') return nbpProvider({ url: config.nbpUrl ?? 'https://api.nbp.pl', clock })
  if (name === 'fixer') {
    if (config.fixerApiKey === null) return null
    return fixerProvider({
      url: config.fixerUrl ?? 'https://data.fixer.io',
      apiKey: config.fixerApiKey,
      requestsPerMonth: config.fixerRequestsPerMonth ?? null,
      clock,
    })
  }
  return simulatedRates({
    seed: config.simulatedSeed ?? SEED,
    clock,
    ...(config.simulatedSessionHours === undefined ? {} : { sessionHours: config.simulatedSessionHours }),
  })
}
