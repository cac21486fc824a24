import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = join(import.meta.dirname, '../..')
const START_SECONDS_MAX = 60
const LINES_KEPT_MAX = 200

export interface RunningServer {
  address: string
  stop: () => Promise<void>
}

/** The real server with a database and data folder of its own, on a port that the system gives. */
export async function startServer(settings: Record<string, string> = {}): Promise<RunningServer> {
  if (!existsSync(join(ROOT, 'web/dist/index.html'))) {
    throw new Error('web/dist is missing: build it first, with npx vite build web')
  }
  const dataDir = await mkdtemp(join(tmpdir(), 'kantor-e2e-'))
  const { PATH = '', HOME = '', LANG = 'C.UTF-8' } = process.env
  const child = spawn(process.execPath, [join(ROOT, 'server/src/main.ts')], {
    cwd: ROOT,
    env: {
      PATH,
      HOME,
      LANG,
      PORT: '0',
      KANTOR_DATA_DIR: dataDir,
      RATES_PROVIDERS: 'simulated',
      WELCOME_GRANT: 'EUR:10000,USD:5000',
      RATE_LIMITS: 'off',
      ...settings,
    },
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

  try {
    return { address: await address, stop }
  } catch (error) {
    await stop()
    throw new Error(`${String(error)}\n${lines.join('\n')}`, { cause: error })
  }
}
