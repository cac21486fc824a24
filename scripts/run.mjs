// The one entry of every npm script. Runs on any Node from 18 with nothing installed, brings what is missing,
// and starts the real thing on Node 24. Plain JavaScript, since older Nodes cannot read TypeScript.
import { join } from 'node:path'
import { installPackages, provideNode, buildWeb, generateClientTypes, ROOT, Trouble } from './prepare.mjs'
import { buildClient } from './build-client.mjs'
import { runChecks, FAST_CHECKS, ALL_CHECKS } from './checks.mjs'
import { runForeground, environmentWith } from './processes.mjs'

const main = join(ROOT, 'server/src/main.ts')
const vite = join(ROOT, 'node_modules/vite/bin/vite.js')

/** What each script starts, given the rest of the command line; `web` says that it shows the pages. */
const commands = {
  start: { web: true, run: (args) => [[main, ...args]] },
  dev: {
    run: (args) => [
      ['--watch-path=server/src', '--watch-path=contract/src', main, ...args],
      [vite, 'web', '--clearScreen', 'false'],
    ],
  },
  verify: { run: (args) => [[main, 'verify', ...args]] },
  admin: { run: (args) => [[main, 'admin', ...args]] },
  export: { run: (args) => [[main, 'export', ...args]] },
  bench: { web: true, run: (args) => [['bench/run.ts', ...args]] },
  drill: { run: (args) => [['server/test/drills/run.ts', ...args]] },
  schema: { run: () => [['server/test/write-schema.ts']] },
  'config-doc': { run: () => [['server/test/write-config-doc.ts']] },
  format: { run: () => [['node_modules/prettier/bin/prettier.cjs', '--write', '--log-level', 'warn', '.']] },
}

async function runScript(name, args) {
  await installPackages()
  const nodeDir = await provideNode()
  const env = environmentWith(nodeDir)
  if (name === 'check' || name === 'test') await generateClientTypes(env)
  if (name === 'check') return runChecks(FAST_CHECKS, env, args)
  if (name === 'test') return runChecks(ALL_CHECKS, env, args)
  if (name === 'build:client') return buildClient(join(ROOT, 'client/dist'), env)
  const command = commands[name]
  if (command === undefined) throw new Trouble(`There is no script ${name}.`)
  if (command.web) await buildWeb(env)
  return runForeground(command.run(args), env)
}

const [name = '', ...args] = process.argv.slice(2)
try {
  process.exitCode = await runScript(name, args)
} catch (error) {
  // A Trouble is a sentence for a person; anything else is a fault of ours, and its trace is wanted.
  console.error(error instanceof Trouble ? `\n${error.message}` : error)
  process.exitCode = 1
}
