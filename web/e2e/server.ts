import { execFile, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const START_SECONDS_MAX = 120
const LINES_KEPT_MAX = 200

export interface RunningServer {
  address: string
  /** What an operator types beside it: `npm run admin -- grant ania` is `command('admin', 'grant', 'ania')`. */
  command: (...words: string[]) => Promise<string>
  stop: () => Promise<void>
}

/** So that the pages offer push, as where an operator has set it up. */
function pushKeys(): Record<string, string> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { d = '', x = '', y = '' } = privateKey.export({ format: 'jwk' })
  const point = Buffer.concat([Buffer.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
  return { VAPID_PUBLIC_KEY: point.toString('base64url'), VAPID_PRIVATE_KEY: d }
}

/** The real server with a database and data folder of its own, on a port that the system gives. */
export async function startServer(settings: Record<string, string> = {}): Promise<RunningServer> {
  if (!existsSync(join(ROOT, 'web/dist/index.html'))) {
    throw new Error('web/dist is missing: build it first, with npx vite build web')
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'kantor-e2e-'))
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  const env = {
    PATH,
    HOME,
    LANG,
    PORT: '0',
    KANTOR_DATA_DIR: dataDir,
    RATES_PROVIDERS: 'simulated',
    WELCOME_GRANT: 'EUR:10000,USD:5000',
    RATE_LIMITS: 'off',
    // Receivers of webhooks that the tests start are on this machine.
    WEBHOOKS_ALLOW_PRIVATE: 'on',
    ...pushKeys(),
    ...settings,
  }
  const main = join(ROOT, 'server/src/main.ts')
  const child = spawn(process.execPath, [main], {
    cwd: ROOT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const exited = once(child, 'exit')
  const lines: string[] = []
  const address = new Promise<string>((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`no address in ${START_SECONDS_MAX} s`)),
      START_SECONDS_MAX * 1000,
    )
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        if (lines.push(line) > LINES_KEPT_MAX) lines.shift()
        if (/^http:\/\/\S+$/u.test(line)) {
          clearTimeout(late)
          resolve(line)
        }
      })
    }
    void exited.then(([code]) => {
      clearTimeout(late)
      reject(new Error(`the server ended with ${String(code)}`))
    })
  })

  async function stop(): Promise<void> {
    if (child.exitCode === null) child.kill('SIGTERM')
    await exited
    await rm(dataDir, { recursive: true, force: true })
  }

  async function command(...words: string[]): Promise<string> {
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...words], { cwd: ROOT, env })
    return stdout
  }

  try {
    return { address: await address, command, stop }
  } catch (error) {
    await stop()
    throw new Error(`${String(error)}\n${lines.join('\n')}`, { cause: error })
  }
}
