// Every check that stands between a change and people's money, in the order in which they are cheap, with one
// summary. What could not run is named; in CI that is a failure.
import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { buildWeb, ROOT } from './prepare.mjs'
import { endOf, passSignals, signalGroup, startNode } from './processes.mjs'

const RESULTS = join(ROOT, 'node_modules/.cache/kantor/results')
const STATIC_MINUTES_MAX = 6
const SIDE_BY_SIDE = 2

/** @typedef {{ passed: number, failed: number, skipped: string[] }} Tally */

const tool = (path, ...args) => [join('node_modules', path), ...args]

export const FAST_CHECKS = [
  { name: 'format', args: tool('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.') },
  { name: 'lint', args: tool('oxlint/bin/oxlint', '--quiet') },
  { name: 'types of contract', args: tool('typescript/bin/tsc', '-p', 'contract', '--noEmit') },
  { name: 'types of client', args: tool('typescript/bin/tsc', '-p', 'client', '--noEmit') },
  { name: 'types of server', args: tool('typescript/bin/tsc', '-p', 'server', '--noEmit') },
  { name: 'types of web', args: tool('vue-tsc/bin/vue-tsc.js', '-p', 'web', '--noEmit') },
  { name: 'dead code', args: tool('knip/bin/knip.js', '--no-progress') },
]

const vitest = (file, ...filters) =>
  tool(
    'vitest/vitest.mjs',
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
    ...filters,
  )

/** Run on the embedded PostgreSQL alone: a server that somebody gives makes no difference to what they show. */
const ON_THE_EMBEDDED = [
  'server/src/db/embedded.test.ts',
  'server/src/events/broker-killed.test.ts',
  'server/src/market-data/providers/**',
  'server/test/client.test.ts',
  'server/test/real-input/**',
  'server/test/replicas.test.ts',
]
/** The longest of the others, run on the server that is given; on the embedded one where none is. */
const ON_A_SERVER = [
  'server/src/events/delivery.test.ts',
  'server/src/history/{list-operations,page-cost}.test.ts',
  'server/src/identity/limits.test.ts',
  'server/src/jobs/**',
  'server/test/drills/**',
]
const without = (paths) => paths.map((path) => `--exclude=${path}`)
const hasServer = () => process.env.DATABASE_URL !== undefined && process.env.DATABASE_URL !== ''

const TESTS = [
  {
    name: 'tests',
    minutesMax: 15,
    report: 'vitest.json',
    args: (file) => vitest(file, ...(hasServer() ? without(ON_A_SERVER) : [])),
    tally: tallyVitest,
  },
  {
    name: 'tests on DATABASE_URL',
    minutesMax: 15,
    report: 'vitest-machine.json',
    onlyIf: hasServer,
    env: () => ({ KANTOR_TEST_DATABASE_URL: process.env.DATABASE_URL }),
    args: (file) => vitest(file, 'server/', ...without(ON_THE_EMBEDDED)),
    tally: tallyVitest,
  },
  {
    name: 'journeys in a browser',
    minutesMax: 25,
    report: 'playwright.json',
    env: (file) => ({ PLAYWRIGHT_JSON_OUTPUT_FILE: file }),
    args: () =>
      tool('@playwright/test/cli.js', 'test', '--config', 'web/playwright.config.ts', '--reporter=list,json'),
    tally: tallyPlaywright,
  },
]

export const ALL_CHECKS = [...FAST_CHECKS, ...TESTS]

// The environment of a test run is the test's own; a developer's settings must not decide it.
const SETTINGS_KEPT = new Set(['AMQP_URL'])
const SETTINGS =
  /^(PORT|HOST|PUBLIC_URL|ROLE|NODE_ENV|RATE_LIMITS|WELCOME_GRANT|KANTOR_DATA_DIR|([A-Z]+_)*(URL|KEY|DSN|PROVIDERS?)(_FILE)?)$/

let interrupted = false

export async function runChecks(checks, env, filters, { results = RESULTS, build = buildWeb } = {}) {
  await rm(results, { recursive: true, force: true })
  await mkdir(results, { recursive: true })
  const cleaned = Object.fromEntries(
    Object.entries(env).filter(([name]) => SETTINGS_KEPT.has(name) || !SETTINGS.test(name)),
  )
  const started = Date.now()
  const wanted = checks.filter(({ name, onlyIf }) => (onlyIf?.() ?? true) && matches(name, filters))
  const tallies = await runInLanes(wanted, cleaned, results, build)
  if (interrupted) return 130
  return summarise(tallies, started)
}

/** `npm test -- lint types` runs the checks whose names contain one of these words. */
function matches(name, filters) {
  return filters.length === 0 || filters.some((filter) => name.includes(filter))
}

async function runInLanes(checks, env, results, build) {
  const quick = checks.filter(({ tally }) => tally === undefined)
  const tallies = []
  const lane = async () => {
    const check = interrupted ? undefined : quick.shift()
    if (check === undefined) return
    tallies.push({ name: check.name, ...(await runStatic(check, env)) })
    await lane()
  }
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane))
  const tests = checks.filter(({ tally }) => tally !== undefined)
  if (tests.length > 0 && !interrupted)
    tallies.push({ name: 'build of the pages', ...(await buildPages(() => build(env))) })
  for (const check of tests) {
    if (!interrupted) tallies.push({ name: check.name, ...(await runTests(check, env, results)) })
  }
  return tallies
}

async function buildPages(build) {
  try {
    await build()
    console.log('✓ build of the pages')
    return { passed: 1, failed: 0, skipped: [] }
  } catch (error) {
    console.log(`✗ build of the pages\n${error.message}`)
    return { passed: 0, failed: 1, skipped: [] }
  }
}

async function runStatic({ name, args }, env) {
  const started = Date.now()
  const child = startNode(args, env, ['ignore', 'pipe', 'pipe'])
  const chunks = []
  child.stdout.on('data', (chunk) => chunks.push(chunk))
  child.stderr.on('data', (chunk) => chunks.push(chunk))
  const code = await bounded(child, STATIC_MINUTES_MAX)
  console.log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds(started)})`)
  if (code !== 0) process.stdout.write(Buffer.concat(chunks))
  return { passed: code === 0 ? 1 : 0, failed: code === 0 ? 0 : 1, skipped: [] }
}

async function runTests({ name, args, env: extra, report, minutesMax, tally }, env, results) {
  const started = Date.now()
  const file = join(results, report)
  console.log(`\n${name}:`)
  const child = startNode(args(file), { ...env, ...extra?.(file) }, ['ignore', 'inherit', 'inherit'])
  const code = await bounded(child, minutesMax)
  const counted = await tally(file).catch(() => ({ passed: 0, failed: 0, skipped: [] }))
  // No report, or a program that failed for another reason than a test: that is a failure too.
  if (counted.passed + counted.failed === 0 || (code !== 0 && counted.failed === 0)) counted.failed += 1
  console.log(`${counted.failed === 0 ? '✓' : '✗'} ${name} (${seconds(started)})`)
  return counted
}

async function bounded(child, minutesMax) {
  const stopPassing = passSignals((signal) => {
    interrupted = true
    signalGroup(child, signal)
  })
  const timer = setTimeout(() => {
    console.log(`✗ not finished after ${minutesMax} minutes; ended`)
    signalGroup(child, 'SIGKILL')
  }, minutesMax * 60_000)
  const code = await endOf(child)
  clearTimeout(timer)
  stopPassing()
  signalGroup(child, 'SIGKILL')
  return code
}

async function tallyVitest(file) {
  const report = JSON.parse(await readFile(file, 'utf8'))
  const tests = report.testResults.flatMap((result) => result.assertionResults)
  // A file that cannot even be loaded has no tests, and is a failure.
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((assertion) => assertion.status === 'failed'),
  )
  return {
    passed: tests.filter(({ status }) => status === 'passed').length,
    failed: tests.filter(({ status }) => status === 'failed').length + broken.length,
    skipped: tests
      .filter(({ status }) => !['passed', 'failed'].includes(status))
      .map(({ fullName }) => fullName),
  }
}

async function tallyPlaywright(file) {
  const { stats, suites, errors } = JSON.parse(await readFile(file, 'utf8'))
  const specs = suites.flatMap(function all(suite) {
    return [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(all)]
  })
  return {
    passed: stats.expected + stats.flaky,
    failed: stats.unexpected + (errors?.length ?? 0),
    skipped: specs
      .filter(({ tests }) => tests.some(({ status }) => status === 'skipped'))
      .map(({ title }) => title),
  }
}

function summarise(tallies, started) {
  const sum = (key) => tallies.reduce((total, tally) => total + tally[key], 0)
  const skipped = tallies.flatMap((tally) => tally.skipped.map((title) => `${tally.name}: ${title}`))
  const failing = tallies.filter(({ failed }) => failed > 0)
  const inCi = process.env.CI === 'true'
  const failed = sum('failed') + (inCi ? skipped.length : 0)
  console.log(`\n${tallies.length} checks in ${seconds(started)}`)
  for (const { name, failed: count } of failing)
    console.log(`  failed: ${name}${count > 1 ? ` (${count})` : ''}`)
  for (const title of skipped) console.log(`  could not run: ${title}`)
  // Read by machines: alone on its line, and the last one.
  console.log(`${sum('passed')} passed, ${failed} failed`)
  return failed === 0 ? 0 : 1
}

function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`
}
