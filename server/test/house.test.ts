import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { expect, test } from 'vitest'

// docs/architecture.md in executable form: who may import whom, who may write what, what nothing is called.

const ROOT = join(import.meta.dirname, '../..')
const SERVER = join(ROOT, 'server/src')
// It names what it forbids.
const THIS = 'server/test/house.test.ts'

const base = ['db', 'telemetry', 'contract']
const five = ['http', 'jobs', ...base]
const mayImport: Record<string, readonly string[]> = {
  telemetry: ['contract'],
  db: ['telemetry', 'contract'],
  http: base,
  jobs: base,
  rules: five,
  events: ['ledger', ...base],
  ledger: base,
  'market-data': five,
  identity: five,
  wallets: ['ledger', 'market-data', ...five],
  exchange: ['rules', 'wallets', 'ledger', 'market-data', ...five],
  transfers: ['rules', 'wallets', 'ledger', 'identity', 'exchange', ...five],
  trading: ['wallets', 'ledger', 'market-data', 'exchange', ...five],
  history: ['wallets', 'ledger', ...five],
  notifications: ['rules', 'events', 'identity', 'market-data', ...five],
}
mayImport['admin'] = [...Object.keys(mayImport), 'contract']

interface Source {
  /** From the root: `server/src/ledger/post.ts`. */
  path: string
  text: string
}

function listFiles(folder: string, extensions: RegExp): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (/^(node_modules|dist|generated|\..*|results|test-results|playwright-report)$/.test(entry.name))
      return []
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return listFiles(path, extensions)
    return extensions.test(entry.name) ? [path] : []
  })
}

const read = (path: string): Source => ({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') })
const sources = ['contract', 'client', 'server', 'web', 'bench', 'scripts'].flatMap((workspace) =>
  listFiles(join(ROOT, workspace), /\.(ts|mts|mjs|vue)$/).map(read),
)
const rooms = readdirSync(SERVER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name)
const ofRoom = (room: string) => sources.filter(({ path }) => path.startsWith(`server/src/${room}/`))
const isTest = ({ path }: Source) => /(\.test|-fixture)\.ts$/.test(path) || basename(path).startsWith('test-')

/** Static, re-exported, for types only, dynamic, and a worker's. */
const IMPORT =
  /\b(?:from|import|import\s*\()\s*['"]([^'"\n]+)['"]|import\.meta\.resolve\(\s*['"]([^'"\n]+)['"]/g
const importsOf = ({ text }: Source) => [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? '')

/** `#ledger` → ledger, `@kantor/contract/money` → contract, a package → null. */
function roomOf(specifier: string): string | null {
  if (specifier.startsWith('@kantor/contract/')) return 'contract'
  return specifier.startsWith('#') ? specifier.slice(1) : null
}

test('every room is in the matrix', () => {
  expect(rooms.filter((room) => mayImport[room] === undefined)).toEqual([])
})

test.each(rooms)('%s imports only what it may, and only through doors', (room) => {
  const allowed = mayImport[room] ?? []
  const wrong = ofRoom(room)
    .filter((source) => !isTest(source))
    .flatMap((source) => importsOf(source).map((specifier) => ({ path: source.path, specifier })))
    .filter(({ specifier }) => {
      const target = roomOf(specifier)
      return target !== null && target !== room && !allowed.includes(target)
    })
  expect(wrong).toEqual([])
})

test('a door opens to a room’s index.ts and to nothing deeper', () => {
  const manifest: { imports: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, 'server/package.json'), 'utf8'),
  )
  const others = ['#app', '#config', '#start', '#test/*']
  const doors = Object.entries(manifest.imports).filter(([name]) => !others.includes(name))
  expect(doors.filter(([name, target]) => target !== `./src/${name.slice(1)}/index.ts`)).toEqual([])
})

test('contract and client import nothing of ours, and web nothing but these two', () => {
  const alone = (path: string) => /^(contract|client)\//.test(path)
  const wrong = sources
    .filter(({ path }) => alone(path) || path.startsWith('web/src/'))
    .flatMap((source) => importsOf(source).map((specifier) => ({ path: source.path, specifier })))
    .filter(({ path, specifier }) => {
      if (specifier === '@kantor/client' || specifier.startsWith('@kantor/contract/')) return alone(path)
      return specifier.startsWith('@kantor/') || (roomOf(specifier) !== null && alone(path))
    })
  expect(wrong).toEqual([])
})

test('nobody climbs out of a folder to import', () => {
  // The benches belong to no workspace, so no door leads to anything for them.
  const others = sources.filter(({ path }) => !path.startsWith('bench/'))
  const wrong = others.filter((source) => importsOf(source).some((specifier) => specifier.startsWith('../')))
  expect(wrong.map(({ path }) => path)).toEqual([])
})

const WRITE =
  /\b(?:insert\s+into|update|delete\s+from|merge\s+into|truncate(?:\s+table)?)\s+(?:only\s+)?([a-z_]+)\.[a-z_]+/gi
const READ = /\b(?:from|join)\s+(?:only\s+)?([a-z_]+)\.([a-z_]+)(?!\s*\()/gi
const schemas = new Set(Object.keys(mayImport).map((room) => room.replace('-', '_')))
const migrations = readdirSync(join(SERVER, 'db/migrations')).map((name) =>
  read(join(SERVER, 'db/migrations', name)),
)
const views = new Set(
  migrations.flatMap(({ text }) =>
    [...text.matchAll(/create\s+(?:or\s+replace\s+)?view\s+([a-z_.]+)/gi)].map((m) => m[1]),
  ),
)

test.each(rooms)('%s writes only its own schema, and reads others as far as it may know them', (room) => {
  const own = room.replace('-', '_')
  const allowed = new Set((mayImport[room] ?? []).map((name) => name.replace('-', '_')))
  const wrong = ofRoom(room)
    .filter((source) => !isTest(source))
    .flatMap(({ path, text }) => [
      ...[...text.matchAll(WRITE)]
        .filter((m) => schemas.has(m[1] ?? '') && m[1] !== own)
        .map((m) => `${path}: ${m[0]}`),
      ...[...text.matchAll(READ)]
        .filter((m) => schemas.has(m[1] ?? '') && m[1] !== own && !allowed.has(m[1] ?? ''))
        .filter((m) => !views.has(`${m[1]}.${m[2]}`))
        .map((m) => `${path}: ${m[0]}`),
    ])
  expect(wrong).toEqual([])
})

test('a migration creates and grants in the schema of one room', () => {
  const wrong = migrations.flatMap(({ path, text }) => {
    const room = /\d{4}-([a-z-]+?)(?:\.|-\d)/.exec(basename(path))?.[1] ?? ''
    const own =
      room === 'roles' ? 'db' : [...schemas].find((schema) => room.replaceAll('-', '_').startsWith(schema))
    const made = text.matchAll(
      /create\s+(?:table|sequence|type|(?:or\s+replace\s+)?(?:view|function))\s+([a-z_]+)\./gi,
    )
    return [...made].filter((m) => m[1] !== own).map((m) => `${path}: ${m[0]}`)
  })
  expect(wrong).toEqual([])
})

test('every room says what it is for, and has one door', () => {
  const missing = rooms.flatMap((room) =>
    ['README.md', 'index.ts']
      .filter((file) => !existsSync(join(SERVER, room, file)))
      .map((file) => `${room}/${file}`),
  )
  expect(missing).toEqual([])
})

test('nothing is called utils, helpers, common, manager or service', () => {
  const vague = /(^|[-_.])(utils?|helpers?|common|managers?|services?)([-_.]|$)/i
  const names = sources.filter(({ path }) => path.split('/').some((part) => vague.test(part)))
  expect(names.map(({ path }) => path)).toEqual([])
  const classes = sources.filter(({ text }) =>
    /\b(class|interface)\s+\w*(Manager|Service|Helper|Utils?)\b/.test(text),
  )
  expect(classes.map(({ path }) => path)).toEqual([])
})

test('files keep to 400 lines, and tests, which are tables, to 500', () => {
  const long = sources.filter((source) => source.text.split('\n').length > (isTest(source) ? 500 : 400))
  expect(long.map(({ path }) => path)).toEqual([])
})

test('no leftover notes, and no rule switched off in place', () => {
  const leftovers = /\bTODO\b|\bFIXME\b|@ts-ignore|@ts-expect-error|(ox|es)lint-disable/
  const others = sources.filter(({ path }) => path !== THIS)
  const wrong = others.flatMap(({ path, text }) =>
    text
      .split('\n')
      .flatMap((line, index) => (leftovers.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  )
  expect(wrong).toEqual([])
})

test('a test is called by its guarantee, and none is left alone or aside', () => {
  const wrong = sources
    .filter(({ path }) => /\.(test|spec)\.ts$/.test(path))
    .filter(({ text }) => /\b(test|it|describe)\.(only|skip|todo)\b/.test(text))
  expect(wrong.map(({ path }) => path).filter((path) => path !== THIS)).toEqual([])
})
