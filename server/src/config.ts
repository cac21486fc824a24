import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import type { z } from 'zod'
import { variables, type Grant, type RatesProvider, type Variable } from './config-variables.ts'

export { variables, type Grant, type RatesProvider, type Variable } from './config-variables.ts'

/** What the environment says, checked as a whole. Nothing else in the program reads the environment. */
export interface Config {
  readonly role: 'all' | 'api' | 'worker' | 'migrate'
  readonly host: string
  readonly port: number
  readonly publicUrl: URL
  readonly trustedProxies: readonly string[]
  /** Absolute. */
  readonly dataDir: string
  /** Null: the embedded one, in `dataDir`. */
  readonly databaseUrl: string | null
  readonly databaseReplicaUrl: string | null
  /** Null: to be generated into `dataDir`. */
  readonly secretKey: Buffer | null
  readonly amqpUrl: string | null
  readonly amqpPrefix: string
  readonly rates: {
    /** In the order in which they are asked. */
    readonly providers: readonly RatesProvider[]
    readonly fixerApiKey: string | null
    readonly fixerUrl: string
    /** Null: as Fixer's headers say, or else as the free plan. */
    readonly fixerRequestsPerMonth: number | null
    readonly ecbUrl: string
    readonly nbpUrl: string
  }
  readonly stocks: {
    readonly provider: 'polygon' | 'simulated'
    readonly polygonApiKey: string | null
    readonly polygonUrl: string
    /** Null: Polygon's own, by whether the plan is delayed. */
    readonly polygonWsUrl: string | null
  }
  readonly welcomeGrant: readonly Grant[]
  readonly dividendWithholdingBps: number
  readonly rateLimits: boolean
  /** Null: no mail is sent. */
  readonly mail: { readonly smtpUrl: string; readonly from: string } | null
  /** Null: no web push. */
  readonly vapid: { readonly publicKey: string; readonly privateKey: string } | null
  readonly webhooksAllowPrivate: boolean
  readonly sentryDsn: string | null
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** Every fault of the environment at once, in sentences for the operator; no value is repeated in them. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  constructor(faults: readonly string[]) {
    super(`Kantor cannot start with this environment:\n${faults.map((fault) => `  ${fault}`).join('\n')}`)
  }
}

type Name = keyof typeof variables
type Values = { [N in Name]?: z.output<(typeof variables)[N]['schema']> | undefined }
type Environment = Readonly<Record<string, string | undefined>>

/** @throws ConfigError */
export function loadConfig(environment: Environment): Config {
  const faults: string[] = []
  const values = readValues(environment, faults)
  if (faults.length === 0) faults.push(...contradictions(values))
  if (faults.length > 0) throw new ConfigError(faults)
  return freeze(withFallbacks(values))
}

function readValues(environment: Environment, faults: string[]): Values {
  const entries = Object.entries<Variable<unknown>>(variables).flatMap(([name, variable]) => {
    const text = readText(environment, name, variable, faults)
    if (text === undefined) return []
    const parsed = variable.schema.safeParse(text)
    if (parsed.success) return [[name, parsed.data] as const]
    faults.push(...parsed.error.issues.map((issue) => `${name} ${issue.message}.`))
    return []
  })
  // Each entry was parsed by the schema of its own name, which the type of `entries` cannot say.
  return Object.fromEntries(entries) as Values
}

function readText(
  environment: Environment,
  name: string,
  variable: Variable<unknown>,
  faults: string[],
): string | undefined {
  const given = environment[name]
  const direct = given === '' && variable.mayBeEmpty !== true ? undefined : given
  const file = environment[`${name}_FILE`]
  if (variable.secret !== true || file === undefined || file === '') return direct
  if (direct !== undefined) {
    faults.push(`${name} and ${name}_FILE are both set.`)
    return undefined
  }
  try {
    return readFileSync(file, 'utf8').trim()
  } catch {
    faults.push(`${name}_FILE names a file that cannot be read.`)
    return undefined
  }
}

/** What is right by itself and wrong together. */
function contradictions(values: Values): string[] {
  const faults: string[] = []
  const external = values.DATABASE_URL !== undefined
  const role = values.ROLE ?? 'all'
  if (role !== 'all' && !external) {
    faults.push(`ROLE ${role} needs DATABASE_URL: the embedded database has one process.`)
  }
  if (external && role !== 'migrate' && values.SECRET_KEY === undefined) {
    faults.push('SECRET_KEY must be set when DATABASE_URL is.')
  }
  if (values.DATABASE_REPLICA_URL !== undefined && !external) {
    faults.push('DATABASE_REPLICA_URL needs DATABASE_URL.')
  }
  if (values.PUBLIC_URL === undefined && values.HOST !== undefined && !isLoopback(values.HOST)) {
    faults.push('PUBLIC_URL must be set when HOST is not a loopback address.')
  }
  if (values.RATE_LIMITS === 'off' && values.PUBLIC_URL && !isLoopback(values.PUBLIC_URL.hostname)) {
    faults.push('RATE_LIMITS can only be off when PUBLIC_URL is a loopback address.')
  }
  if (
    values.WEBHOOKS_ALLOW_PRIVATE === 'on' &&
    values.PUBLIC_URL &&
    !isLoopback(values.PUBLIC_URL.hostname)
  ) {
    faults.push('WEBHOOKS_ALLOW_PRIVATE can only be on when PUBLIC_URL is a loopback address.')
  }
  if ((values.VAPID_PUBLIC_KEY === undefined) !== (values.VAPID_PRIVATE_KEY === undefined)) {
    faults.push('VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY belong together.')
  }
  if (values.RATES_PROVIDERS?.includes('fixer') && values.FIXER_API_KEY === undefined) {
    faults.push('RATES_PROVIDERS names fixer, which needs FIXER_API_KEY.')
  }
  if (values.STOCKS_PROVIDER === 'polygon' && values.POLYGON_API_KEY === undefined) {
    faults.push('STOCKS_PROVIDER is polygon, which needs POLYGON_API_KEY.')
  }
  return faults
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host)
}

const PAPER_MONEY: readonly Grant[] = [
  { currency: 'EUR', amount: 1_000_000n },
  { currency: 'USD', amount: 500_000n },
]

function withFallbacks(values: Values): Config {
  const port = values.PORT ?? 8080
  const publicUrl = values.PUBLIC_URL ?? new URL(`http://127.0.0.1:${port}`)
  const fixerApiKey = values.FIXER_API_KEY ?? null
  const polygonApiKey = values.POLYGON_API_KEY ?? null
  return {
    role: values.ROLE ?? 'all',
    host: values.HOST ?? '127.0.0.1',
    port,
    publicUrl,
    trustedProxies: values.TRUSTED_PROXIES ?? [],
    dataDir: resolve(values.KANTOR_DATA_DIR ?? '.kantor'),
    databaseUrl: values.DATABASE_URL ?? null,
    databaseReplicaUrl: values.DATABASE_REPLICA_URL ?? null,
    secretKey: values.SECRET_KEY ?? null,
    amqpUrl: values.AMQP_URL ?? null,
    amqpPrefix: values.AMQP_PREFIX ?? 'kantor.events',
    rates: {
      providers: values.RATES_PROVIDERS ?? (fixerApiKey === null ? ['simulated'] : ['fixer', 'ecb', 'nbp']),
      fixerApiKey,
      fixerUrl: values.FIXER_URL ?? 'http://data.fixer.io',
      fixerRequestsPerMonth: values.FIXER_REQUESTS_PER_MONTH ?? null,
      ecbUrl: values.ECB_URL ?? 'https://www.ecb.europa.eu/stats/eurofxref',
      nbpUrl: values.NBP_URL ?? 'https://api.nbp.pl',
    },
    stocks: {
      provider: values.STOCKS_PROVIDER ?? (polygonApiKey === null ? 'simulated' : 'polygon'),
      polygonApiKey,
      polygonUrl: values.POLYGON_URL ?? 'https://api.polygon.io',
      polygonWsUrl: values.POLYGON_WS_URL ?? null,
    },
    welcomeGrant: values.WELCOME_GRANT ?? (values.DATABASE_URL === undefined ? PAPER_MONEY : []),
    dividendWithholdingBps: values.DIVIDEND_WITHHOLDING_BPS ?? 0,
    rateLimits: values.RATE_LIMITS !== 'off',
    mail:
      values.SMTP_URL === undefined
        ? null
        : { smtpUrl: values.SMTP_URL, from: values.MAIL_FROM ?? `Kantor <kantor@${publicUrl.hostname}>` },
    vapid:
      values.VAPID_PUBLIC_KEY === undefined || values.VAPID_PRIVATE_KEY === undefined
        ? null
        : { publicKey: values.VAPID_PUBLIC_KEY, privateKey: values.VAPID_PRIVATE_KEY },
    webhooksAllowPrivate: values.WEBHOOKS_ALLOW_PRIVATE === 'on',
    sentryDsn: values.SENTRY_DSN ?? null,
    logLevel: values.LOG_LEVEL ?? 'info',
  }
}

function freeze(config: Config): Config {
  Object.values(config).forEach((value: unknown) => {
    if (Array.isArray(value) || Object.getPrototypeOf(value ?? 0) === Object.prototype) Object.freeze(value)
  })
  return Object.freeze(config)
}
