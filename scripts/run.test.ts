import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { startProcess, type TestProcess } from '@kantor/server/test/child-process.ts'
import { afterAll, expect, test } from 'vitest'

const folder = await mkdtemp(join(tmpdir(), 'kantor-scripts-'))
const END_SECONDS_MAX = 45
const started = new Set<TestProcess>()
afterAll(async () => {
  started.forEach(({ child }) => child.kill('SIGKILL'))
  await rm(folder, { recursive: true })
})

const nodeDir = dirname(process.execPath)

/** Runs a few lines as a process that has the scripts' functions at hand, as run.mjs does. */
function script(lines: string, env: NodeJS.ProcessEnv = {}): TestProcess {
  const imports = ['processes', 'checks']
    .map((name) => `import * as ${name} from ${JSON.stringify(join(import.meta.dirname, `${name}.mjs`))}`)
    .join('\n')
  const args = [
    '--input-type=module',
    '-e',
    `${imports}\nconst env = processes.environmentWith('${nodeDir}')\n${lines}`,
  ]
  const { npm_lifecycle_event: _, CI: __, ...inherited } = process.env
  const running = startProcess(process.execPath, args, { env: { ...inherited, ...env } })
  started.add(running)
  return running
}

/** A program that says who it is and what it is sent, and ends when told to. */
async function programThatTells(): Promise<{ path: string; told: () => Promise<string[]> }> {
  const path = join(await mkdtemp(join(folder, 'program-')), 'tell.mjs')
  await writeFile(
    path,
    `import { appendFileSync } from 'node:fs'
     const tell = (word) => appendFileSync(import.meta.filename + '.told', word + '\\n')
     process.on('SIGINT', () => tell('SIGINT'))
     process.on('SIGTERM', () => { tell('SIGTERM'); process.exit(7) })
     setInterval(() => {}, 1000)
     tell(String(process.pid))`,
  )
  const told = () =>
    readFile(`${path}.told`, 'utf8').then(
      (text) => text.trim().split('\n'),
      () => [],
    )
  return { path, told }
}

const isAlive = (pid: string | undefined) => {
  try {
    return process.kill(Number(pid), 0)
  } catch {
    return false
  }
}

test('a program’s exit code is handed on, and it sees each signal once, however often that came', async () => {
  const { path, told } = await programThatTells()
  const { child, end } = script(
    `process.exitCode = await processes.runForeground([[${JSON.stringify(path)}]], env)`,
  )
  await expect.poll(told).toHaveLength(1)
  child.kill('SIGINT')
  child.kill('SIGINT')
  await expect.poll(told).toHaveLength(2)
  child.kill('SIGTERM')
  expect(await end(END_SECONDS_MAX)).toBe(7)
  expect((await told()).slice(1)).toEqual(['SIGINT', 'SIGTERM'])
})

test('the end of one of two programs ends the other', async () => {
  const { path, told } = await programThatTells()
  const other = join(folder, 'ends.mjs')
  await writeFile(other, 'setTimeout(() => process.exit(3), 500)')
  const paths = JSON.stringify([[path], [other]])
  const { end } = script(`process.exitCode = await processes.runForeground(${paths}, env)`)
  expect(await end(END_SECONDS_MAX)).toBe(3)
  expect(isAlive((await told())[0])).toBe(false)
})

test.runIf(process.platform === 'linux')('kill -9 of the script ends its program', async () => {
  const { path, told } = await programThatTells()
  const { child } = script(`await processes.runForeground([[${JSON.stringify(path)}]], env)`)
  await expect.poll(told).toHaveLength(1)
  const [pid] = await told()
  child.kill('SIGKILL')
  await expect.poll(() => isAlive(pid)).toBe(false)
})

const good = `{ name: 'good', args: ['-e', ''] }`
const bad = `{ name: 'bad', args: ['-e', 'console.log("what was wrong"); process.exit(1)'] }`
const suite = (tally: string) =>
  `{ name: 'suite', minutesMax: 1, report: 'x.json', args: () => ['-e', ''], tally: async () => (${tally}) }`

async function check(checks: string[], env: NodeJS.ProcessEnv = {}) {
  const results = JSON.stringify(await mkdtemp(join(folder, 'results-')))
  const { end, said } = script(
    `process.exitCode = await checks.runChecks([${checks.join()}], env, [], { results: ${results}, build: () => {} })`,
    env,
  )
  const code = await end(END_SECONDS_MAX)
  return { code, output: said(), last: said().trimEnd().split('\n').at(-1) }
}

test('the last line is the total, alone, and a failed check shows what it said', async () => {
  expect(await check([good, good])).toMatchObject({ code: 0, last: '2 passed, 0 failed' })
  const failed = await check([good, bad])
  expect(failed).toMatchObject({ code: 1, last: '1 passed, 1 failed' })
  expect(failed.output).toContain('what was wrong')
})

test('what could not run is named, and fails in CI', async () => {
  const tally = suite(`{ passed: 5, failed: 0, skipped: ['a journey'] }`)
  const here = await check([tally])
  expect(here).toMatchObject({ code: 0, last: '6 passed, 0 failed' })
  expect(here.output).toContain('could not run: suite: a journey')
  expect(await check([tally], { CI: 'true' })).toMatchObject({ code: 1, last: '6 passed, 1 failed' })
})

test('a suite without a report is a failure, and so is a check that cannot be started', async () => {
  expect(await check([suite(`JSON.parse('')`)])).toMatchObject({ code: 1, last: '1 passed, 1 failed' })
  expect(await check([`{ name: 'missing', args: ['no-such-file.mjs'] }`])).toMatchObject({ code: 1 })
})
