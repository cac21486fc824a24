import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** How to start a program of PostgreSQL so that it accepts who it runs as, and dies with us. */
export interface Identity {
  /** What goes before the program: `unshare … setpriv … postgres …`. */
  prefix: string[]
  /** Who must own the data directory, as seen from here. */
  uid: number
  gid: number
  /** What the program said of itself: `postgres (PostgreSQL) 18.4`. */
  version: string
}

const NOBODY = 65_534
// Sent by the kernel when we are gone, even by kill -9; INT is PostgreSQL's fast, clean shutdown.
const DIE_WITH_PARENT = ['setpriv', '--pdeathsig', 'INT']
const AS_NOBODY = [`--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']

/**
 * PostgreSQL refuses root. The first way that can run the program wins:
 * a user namespace, where root is merely called nobody and still enters a home of mode 0700; where a
 * container blocks those, a real nobody that keeps the one capability to enter it; then one without.
 */
export async function chooseIdentity(postgres: string): Promise<Identity> {
  const uid = process.getuid?.() ?? 0
  const gid = process.getgid?.() ?? 0
  const candidates: Omit<Identity, 'version'>[] =
    uid === 0
      ? [
          {
            prefix: [
              'unshare',
              '--user',
              `--map-user=${NOBODY}`,
              `--map-group=${NOBODY}`,
              '--',
              ...DIE_WITH_PARENT,
            ],
            uid: 0,
            gid: 0,
          },
          {
            prefix: [
              ...DIE_WITH_PARENT,
              ...AS_NOBODY,
              '--inh-caps=+dac_override',
              '--ambient-caps=+dac_override',
            ],
            uid: NOBODY,
            gid: NOBODY,
          },
          { prefix: [...DIE_WITH_PARENT, ...AS_NOBODY], uid: NOBODY, gid: NOBODY },
        ]
      : [
          { prefix: DIE_WITH_PARENT, uid, gid },
          { prefix: [], uid, gid },
        ]
  const failures: string[] = []
  for (const candidate of candidates) {
    const [program = postgres, ...args] = [...candidate.prefix, postgres, '--version']
    try {
      const { stdout } = await run(program, args, { cwd: '/', timeout: 10_000 })
      return { ...candidate, version: stdout.trim() }
    } catch (error) {
      failures.push(error instanceof Error ? error.message.trim() : String(error))
    }
  }
  throw new Error(
    `The embedded PostgreSQL cannot be started here. Run Kantor as an ordinary user, or set DATABASE_URL.\n` +
      failures.join('\n'),
  )
}
