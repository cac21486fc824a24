import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ConfigError, loadConfig } from '#config'
import { configDoc } from '#test/config-doc'
import { readOrCreateSecretKey } from './secret-key.ts'

const KEY = 'k'.repeat(43)
const external = { DATABASE_URL: 'postgres://kantor:hunter2@db.example/kantor', SECRET_KEY: KEY }

test('an empty environment is the embedded mode on loopback, with the simulated market and paper money', () => {
  expect(loadConfig({})).toMatchObject({
    role: 'all',
    host: '127.0.0.1',
    port: 8080,
    publicUrl: new URL('http://127.0.0.1:8080'),
    dataDir: join(process.cwd(), '.kantor'),
    databaseUrl: null,
    rates: { providers: ['simulated'] },
    stocks: { provider: 'simulated' },
    welcomeGrant: [
      { currency: 'EUR', amount: 1_000_000n },
      { currency: 'USD', amount: 500_000n },
    ],
    dividendWithholdingBps: 0,
    rateLimits: true,
  })
})

test('a database of the operator gets no paper money unless told so', () => {
  expect(loadConfig(external).welcomeGrant).toEqual([])
  expect(loadConfig({ ...external, WELCOME_GRANT: 'JPY:1500,BTC:0.00000001' }).welcomeGrant).toEqual([
    { currency: 'JPY', amount: 1500n },
    { currency: 'BTC', amount: 1n },
  ])
  expect(loadConfig({ WELCOME_GRANT: '' }).welcomeGrant).toEqual([])
})

test('keys bring the real providers, in order, and a list overrules that', () => {
  const keys = { FIXER_API_KEY: 'a', POLYGON_API_KEY: 'b' }
  expect(loadConfig(keys).rates.providers).toEqual(['fixer', 'ecb', 'nbp'])
  expect(loadConfig(keys).stocks.provider).toBe('polygon')
  expect(loadConfig({ ...keys, RATES_PROVIDERS: 'nbp, ecb' }).rates.providers).toEqual(['nbp', 'ecb'])
})

test('an empty value counts as not set', () => {
  expect(loadConfig({ PORT: '', DATABASE_URL: '', SMTP_URL: '', ROLE: '' })).toMatchObject({
    port: 8080,
    databaseUrl: null,
    mail: null,
    role: 'all',
  })
})

test.each([
  [{ PORT: '70000' }, 'PORT must be a whole number from 0 to 65535.'],
  [{ PORT: '8080 ' }, 'PORT must be'],
  [{ PORT: '0x50' }, 'PORT must be'],
  [{ ROLE: 'admin' }, 'ROLE must be `all`'],
  [{ ROLE: 'worker' }, 'needs DATABASE_URL'],
  [{ HOST: 'kantor.example' }, 'HOST must be an IP address'],
  [{ HOST: '0.0.0.0' }, 'PUBLIC_URL must be set'],
  [{ PUBLIC_URL: 'https://kantor.example/app' }, 'PUBLIC_URL must have no path'],
  [{ PUBLIC_URL: 'kantor.example' }, 'PUBLIC_URL must be an address'],
  [{ PUBLIC_URL: 'https://kantor.example', RATE_LIMITS: 'off' }, 'RATE_LIMITS can only be off'],
  [{ TRUSTED_PROXIES: '10.0.0.0/33' }, 'TRUSTED_PROXIES must be'],
  [{ TRUSTED_PROXIES: 'all' }, 'TRUSTED_PROXIES must be'],
  [{ DATABASE_URL: 'mysql://x' }, 'DATABASE_URL must be an address that begins with postgres://'],
  [{ DATABASE_URL: external.DATABASE_URL }, 'SECRET_KEY must be set'],
  [{ DATABASE_REPLICA_URL: 'postgres://x/y' }, 'needs DATABASE_URL'],
  [{ SECRET_KEY: 'too-short' }, 'SECRET_KEY must be at least 32 random bytes'],
  [{ RATES_PROVIDERS: 'fixer' }, 'needs FIXER_API_KEY'],
  [{ RATES_PROVIDERS: 'ecb,ecb' }, 'each at most once'],
  [{ RATES_PROVIDERS: 'ecb,bank' }, 'RATES_PROVIDERS must be'],
  [{ STOCKS_PROVIDER: 'polygon' }, 'needs POLYGON_API_KEY'],
  [{ WELCOME_GRANT: 'EUR' }, 'WELCOME_GRANT must look like'],
  [{ WELCOME_GRANT: 'EUR:1,EUR:2' }, 'WELCOME_GRANT must look like'],
  [{ WELCOME_GRANT: 'EUR:0.001' }, 'WELCOME_GRANT must look like'],
  [{ WELCOME_GRANT: 'EUR:-5' }, 'WELCOME_GRANT must look like'],
  [{ WELCOME_GRANT: 'EUR:0' }, 'WELCOME_GRANT must look like'],
  [{ WELCOME_GRANT: 'XXX:5' }, 'WELCOME_GRANT must look like'],
  [{ WELCOME_GRANT: 'EUR:1e3' }, 'WELCOME_GRANT must look like'],
  [{ FIXER_API_KEY_FILE: '/nowhere/key' }, 'FIXER_API_KEY_FILE names a file that cannot be read'],
] as Record<string, string>[][])('%j is refused', (environment, sentence) => {
  expect(() => loadConfig(environment ?? {})).toThrow(ConfigError)
  expect(() => loadConfig(environment ?? {})).toThrow(String(sentence))
})

test('every fault is named at once and no secret is repeated', () => {
  const environment = {
    PORT: 'hunter2',
    DATABASE_URL: 'hunter2://hunter2',
    SECRET_KEY: 'hunter2',
    SMTP_URL: 'hunter2',
    RATES_PROVIDERS: 'hunter2',
    WELCOME_GRANT: 'hunter2',
    PUBLIC_URL: 'https://hunter2@kantor.example',
    AMQP_URL_FILE: '/hunter2',
  }
  expect.assertions(9)
  try {
    loadConfig(environment)
  } catch (error) {
    const { message } = error as ConfigError
    expect(message).not.toContain('hunter2')
    Object.keys(environment).forEach((name) => expect(message).toContain(name))
  }
})

test('a secret may come from a file, and not from both', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kantor-config-'))
  try {
    const file = join(directory, 'url')
    await writeFile(file, `${external.DATABASE_URL}\n`)
    expect(loadConfig({ DATABASE_URL_FILE: file, SECRET_KEY: KEY }).databaseUrl).toBe(external.DATABASE_URL)
    expect(() => loadConfig({ ...external, DATABASE_URL_FILE: file })).toThrow('both set')
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('the generated secret key is made once, for its owner only', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'kantor-config-'))
  try {
    const [first, second] = await Promise.all([
      readOrCreateSecretKey(directory),
      readOrCreateSecretKey(directory),
    ])
    expect(first).toHaveLength(32)
    expect(second).toEqual(first)
    expect(await readOrCreateSecretKey(directory)).toEqual(first)
    expect((await stat(join(directory, 'secret-key'))).mode & 0o777).toBe(0o600)
  } finally {
    await rm(directory, { recursive: true })
  }
})

test('the configuration cannot be changed once it is read', () => {
  const config = loadConfig({})
  expect([config, config.rates, config.stocks, config.welcomeGrant].every(Object.isFrozen)).toBe(true)
})

test('docs/configuration.md says what the program reads (else: npm run config-doc)', async () => {
  const written = await readFile(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  expect(written).toBe(configDoc())
})
