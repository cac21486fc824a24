import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A browser of the machine is used first: it starts at once and is what people have. */
const INSTALLED = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]

/** Not the registry package's own: those run one process for all and switch web security off. */
const ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

const CACHE = join(import.meta.dirname, '../../node_modules/.cache/kantor/chromium')

function hasLibrary(name: string): boolean {
  try {
    return execFileSync('ldconfig', ['-p'], { encoding: 'utf8' }).includes(name)
  } catch {
    return false
  }
}

/** The Chromium inside the registry package, unpacked into our cache instead of the shared temporary folder. */
async function bundledBrowser(): Promise<{ executablePath: string; env: Record<string, string> }> {
  mkdirSync(CACHE, { recursive: true })
  process.env['TMPDIR'] = CACHE
  const { default: chromium, inflate } = await import('@sparticuz/chromium')
  const executablePath = await chromium.executablePath()
  if (hasLibrary('libnss3.so')) return { executablePath, env: {} }
  const packed = join(
    dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))),
    '../bin/al2023.tar.br',
  )
  const libraries = await inflate(packed)
  return { executablePath, env: { LD_LIBRARY_PATH: join(libraries, 'lib') } }
}

export async function launchOptions() {
  const wanted = process.env['CHROMIUM_PATH']
  const installed =
    wanted === 'bundled' ? undefined : [wanted, ...INSTALLED].find((path) => path && existsSync(path))
  if (installed) return { executablePath: installed, args: ARGS }
  const { executablePath, env } = await bundledBrowser()
  return { executablePath, args: ARGS, env: { ...(process.env as Record<string, string>), ...env } }
}
