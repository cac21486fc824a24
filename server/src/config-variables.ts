import { isIP } from 'node:net'
import { z } from 'zod'
import { currencyByCode, isOffered, parseAmount } from '@kantor/contract/money'

/** One variable of the environment: the only place that says its name, its form and what it does. */
export interface Variable<Value> {
  /** A sentence or two for docs/configuration.md. */
  meaning: string
  /** What holds when it is not set, in words. */
  fallback: string
  /** Refusals never repeat what was given: it may be a password in the wrong place. */
  schema: z.ZodType<Value, string>
  /** May also be given as the name of a file that holds it, in NAME_FILE; is never shown. */
  secret?: true
  /** Set but empty says something; elsewhere an empty value counts as not set. */
  mayBeEmpty?: true
}

const wholeNumber = (min: number, max: number) =>
  z
    .string()
    .regex(/^[0-9]{1,9}$/, `must be a whole number from ${min} to ${max}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number from ${min} to ${max}`)

const address = (...protocols: string[]) =>
  z.string().refine((text) => URL.canParse(text) && protocols.includes(new URL(text).protocol), {
    error: `must be an address that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  })

/** Scheme, host and port only: links and cookies are made from it, and pages live at its root. */
const origin = address('http:', 'https:')
  .refine((text) => !URL.canParse(text) || new URL(text).href === `${new URL(text).origin}/`, {
    error: 'must have no path, query or user',
  })
  .transform((text) => new URL(text))

const oneOf = <const Word extends string>(...words: Word[]) =>
  z.enum(words, { error: `must be ${words.map((word) => `\`${word}\``).join(' or ')}` })

const RATES_PROVIDERS = ['fixer', 'ecb', 'nbp', 'simulated'] as const
export type RatesProvider = (typeof RATES_PROVIDERS)[number]

const listOf = <const Word extends string>(words: readonly Word[]) => {
  const error = `must be a comma-separated list of ${words.join(', ')}, each at most once`
  const isWord = (text: string): text is Word => words.some((word) => word === text)
  return z.string().transform((text, context): Word[] => {
    const parts = text.split(',').map((part) => part.trim())
    const known = parts.filter(isWord)
    if (known.length === parts.length && new Set(parts).size === parts.length) return known
    context.addIssue({ code: 'custom', message: error })
    return z.NEVER
  })
}

export interface Grant {
  /** ISO 4217 or declared code. */
  currency: string
  /** In minor units; above zero. */
  amount: bigint
}

const GRANT_FORM =
  'must look like EUR:10000,USD:5000 (offered currencies, amounts in major units) or be empty'

const welcomeGrant = z.string().transform((text, context): Grant[] => {
  const parts = text.trim() === '' ? [] : text.split(',')
  const grants = parts.map(parseGrant).filter((grant) => grant !== null)
  const codes = new Set(grants.map((grant) => grant.currency))
  if (grants.length === parts.length && codes.size === parts.length) return grants
  context.addIssue({ code: 'custom', message: GRANT_FORM })
  return z.NEVER
})

function parseGrant(text: string): Grant | null {
  const [code = '', major = '', ...rest] = text.trim().split(':')
  const currency = currencyByCode(code)
  if (currency === undefined || !isOffered(code) || rest.length > 0) return null
  const amount = parseAmount(major, currency.scale)
  return amount.ok && amount.minor > 0n ? { currency: code, amount: amount.minor } : null
}

const SECRET_KEY_BYTES_MIN = 32

const secretKey = z
  .string()
  .regex(/^[A-Za-z0-9_-]{43,}$/, `must be at least ${SECRET_KEY_BYTES_MIN} random bytes in base64url`)
  .transform((text) => Buffer.from(text, 'base64url'))

const hostAddress = z.string().refine((text) => isIP(text) !== 0 || text === 'localhost', {
  error: 'must be an IP address of this machine, such as 127.0.0.1 or 0.0.0.0',
})

const networks = z
  .string()
  .transform((text) => text.split(',').map((part) => part.trim()))
  .refine((parts) => parts.every(isNetwork), {
    error: 'must be a comma-separated list of IP addresses or networks',
  })

function isNetwork(text: string): boolean {
  const [ip = '', bits, ...rest] = text.split('/')
  const bitsMax = { 0: -1, 4: 32, 6: 128 }[isIP(ip)] ?? -1
  return (
    rest.length === 0 &&
    bitsMax > 0 &&
    (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax))
  )
}

export const variables = {
  ROLE: {
    meaning:
      'What this process does: `all`, or one of `api`, `worker`, `migrate` where several share a database.',
    fallback: '`all`',
    schema: oneOf('all', 'api', 'worker', 'migrate'),
  },
  HOST: { meaning: 'The address to listen on.', fallback: '`127.0.0.1`', schema: hostAddress },
  PORT: { meaning: 'The port to listen on.', fallback: '`8080`', schema: wholeNumber(0, 65_535) },
  PUBLIC_URL: {
    meaning:
      'Where browsers reach Kantor. With `https://`, cookies are bound to the host and sent over TLS only.',
    fallback: '`http://127.0.0.1:PORT`; must be set when `HOST` is not a loopback address',
    schema: origin,
  },
  TRUSTED_PROXIES: {
    meaning: 'Addresses or networks of the proxies whose `X-Forwarded-For` is believed, separated by commas.',
    fallback: 'none is believed',
    schema: networks,
  },
  KANTOR_DATA_DIR: {
    meaning: 'The folder of the embedded database and of generated secrets.',
    fallback: '`.kantor` in the current folder',
    schema: z.string(),
  },
  DATABASE_URL: {
    meaning:
      'A PostgreSQL 15 or later, as the owner of its database. Kantor then acts as the role `kantor_app`.',
    fallback: 'the embedded PostgreSQL, in `KANTOR_DATA_DIR`',
    schema: address('postgres:', 'postgresql:'),
    secret: true,
  },
  DATABASE_REPLICA_URL: {
    meaning: 'A read replica of it, for history and statements; nothing is ever decided on it.',
    fallback: '`DATABASE_URL`',
    schema: address('postgres:', 'postgresql:'),
    secret: true,
  },
  SECRET_KEY: {
    meaning:
      'At least 32 random bytes in base64url (43 characters), alike in all processes of one installation.',
    fallback: 'generated into `KANTOR_DATA_DIR`; must be set when `DATABASE_URL` is',
    schema: secretKey,
    secret: true,
  },
  AMQP_URL: {
    meaning:
      'A RabbitMQ (3.10 or later) that carries events between processes. It may be set, changed or removed at any time.',
    fallback: 'each process reads events from the database',
    schema: address('amqp:', 'amqps:'),
    secret: true,
  },
  AMQP_PREFIX: {
    meaning:
      'What the exchanges and queues there are called; another one for each installation that shares it.',
    fallback: '`kantor.events`',
    schema: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'must be a name such as kantor.events'),
  },
  RATES_PROVIDERS: {
    meaning:
      'Where exchange rates come from, the first that has one wins: `fixer`, `ecb`, `nbp`, `simulated`.',
    fallback: '`fixer,ecb,nbp` with `FIXER_API_KEY`, else `simulated`',
    schema: listOf(RATES_PROVIDERS),
  },
  FIXER_API_KEY: { meaning: 'The key of fixer.io.', fallback: 'none', schema: z.string(), secret: true },
  FIXER_URL: {
    meaning: 'Where Fixer is; `https://api.apilayer.com` for keys of the new kind.',
    fallback: '`http://data.fixer.io`',
    schema: address('http:', 'https:'),
  },
  FIXER_REQUESTS_PER_MONTH: {
    meaning:
      'What the plan of the key allows, for keys of the old host, which does not say: the pace follows it.',
    fallback: 'what Fixer says of the key, else 100 as in the free plan',
    schema: wholeNumber(1, 10_000_000),
  },
  ECB_URL: {
    meaning: 'The folder of the reference rates of the European Central Bank.',
    fallback: '`https://www.ecb.europa.eu/stats/eurofxref`',
    schema: address('http:', 'https:'),
  },
  NBP_URL: {
    meaning: 'The API of the National Bank of Poland.',
    fallback: '`https://api.nbp.pl`',
    schema: address('http:', 'https:'),
  },
  STOCKS_PROVIDER: {
    meaning: 'Where stock prices come from: `polygon` or `simulated`.',
    fallback: '`polygon` with `POLYGON_API_KEY`, else `simulated`',
    schema: oneOf('polygon', 'simulated'),
  },
  POLYGON_API_KEY: { meaning: 'The key of polygon.io.', fallback: 'none', schema: z.string(), secret: true },
  POLYGON_URL: {
    meaning: 'Where Polygon’s REST API is.',
    fallback: '`https://api.polygon.io`',
    schema: address('http:', 'https:'),
  },
  POLYGON_WS_URL: {
    meaning: 'Where Polygon’s live prices are.',
    fallback: '`wss://socket.polygon.io`, or `wss://delayed.polygon.io` where the plan is delayed',
    schema: address('ws:', 'wss:'),
  },
  WELCOME_GRANT: {
    meaning: 'Paper money that each new wallet begins with, in major units; empty for none.',
    fallback: '`EUR:10000,USD:5000` with the embedded database, else none',
    schema: welcomeGrant,
    mayBeEmpty: true,
  },
  DIVIDEND_WITHHOLDING_BPS: {
    meaning: 'Of each dividend, what is kept back as tax, in basis points: 1500 is 15 %.',
    fallback: '`0`',
    schema: wholeNumber(0, 10_000),
  },
  RATE_LIMITS: {
    meaning:
      '`off` lifts the limits on attempts, for benches; refused unless `PUBLIC_URL` is a loopback address.',
    fallback: '`on`',
    schema: oneOf('on', 'off'),
  },
  SMTP_URL: {
    meaning: 'The mail server that messages leave by.',
    fallback: 'no mail is sent',
    schema: address('smtp:', 'smtps:'),
    secret: true,
  },
  MAIL_FROM: {
    meaning: 'Whom mail is from: an address, or `Name <address>`.',
    fallback: '`Kantor <kantor@HOST>`, with the host of `PUBLIC_URL`',
    schema: z.string().regex(/^[^<>\r\n]{0,60}<?[^\s<>@]{1,64}@[^\s<>@]{1,255}>?$/, {
      error: 'must be an address such as kantor@example.com, or `Name <address>`',
    }),
  },
  VAPID_PUBLIC_KEY: {
    meaning: 'What browsers subscribe to push with: a P-256 public key, 65 bytes in base64url.',
    fallback: 'no web push',
    schema: z.string().regex(/^[A-Za-z0-9_-]{87}$/, 'must be 65 bytes in base64url'),
  },
  VAPID_PRIVATE_KEY: {
    meaning: 'Its private key, 32 bytes in base64url (`npx web-push generate-vapid-keys` makes both).',
    fallback: 'no web push',
    schema: z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be 32 bytes in base64url'),
    secret: true,
  },
  WEBHOOKS_ALLOW_PRIVATE: {
    meaning:
      '`on` lets webhooks and push go to private addresses, and by plain http to loopback: for development; refused unless `PUBLIC_URL` is a loopback address.',
    fallback: '`off`',
    schema: oneOf('on', 'off'),
  },
  SENTRY_DSN: {
    meaning: 'Where errors are reported, scrubbed of personal data: Sentry or GlitchTip.',
    fallback: 'nowhere',
    schema: address('http:', 'https:'),
    secret: true,
  },
  LOG_LEVEL: {
    meaning: 'The least urgent lines that are logged: `debug`, `info`, `warn` or `error`.',
    fallback: '`info`',
    schema: oneOf('debug', 'info', 'warn', 'error'),
  },
} satisfies Record<string, Variable<unknown>>
