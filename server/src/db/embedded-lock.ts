import { randomUUID } from 'node:crypto'
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const ATTEMPTS_MAX = 20
const PAUSE_MS = 50

/**
 * One Kantor per data directory. PostgreSQL has a lock of its own, but not while it is being created, and
 * its message would not say what to do. A holder that is gone, kill -9 included, does not hold.
 */
export async function lockDirectory(directory: string): Promise<{ unlock: () => Promise<void> }> {
  const file = join(directory, 'kantor.lock')
  const mine = `${file}.${randomUUID()}`
  await writeFile(mine, `${process.pid} ${await startOf(process.pid)}\n`, { mode: 0o600 })
  try {
    for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt += 1) {
      // A link appears at once with its content, unlike a file that is created and then written.
      if (await linkUnlessTaken(mine, file)) return { unlock: () => rm(file, { force: true }) }
      const holder = await readFile(file, 'utf8').catch(() => '')
      const [pid = '', start = ''] = holder.trim().split(' ')
      if (start === '' || (await startOf(Number(pid))) !== start) await removeStale(file, holder)
      else if (attempt === ATTEMPTS_MAX) throw new Error(inUse(pid, directory))
      // It may be ending just now.
      else await sleep(PAUSE_MS)
    }
    throw new Error(`${file} cannot be taken.`)
  } finally {
    await rm(mine, { force: true })
  }
}

function inUse(pid: string, directory: string): string {
  return `Another Kantor (process ${pid}) already runs on ${directory}. Stop it, or set KANTOR_DATA_DIR.`
}

async function linkUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

/** Takes away what was judged stale, and puts it back if somebody else had replaced it in the meantime. */
async function removeStale(file: string, judged: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await rename(file, aside)
  } catch {
    return
  }
  if ((await readFile(aside, 'utf8')) !== judged) await linkUnlessTaken(aside, file)
  await rm(aside, { force: true })
}

/**
 * When a process started, in ticks since boot, with the boot: a number that is given again to another
 * process, as the small ones in a container are, is not taken for the old one.
 */
async function startOf(pid: number): Promise<string> {
  try {
    const [stat, boot] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
    ])
    // The name in parentheses may hold spaces; the start is field 22, so the 20th after it (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const [state] = fields
    // Ended, and merely not yet noticed by its parent; in a container without an init it stays so.
    if (state === 'Z' || state === 'X') return ''
    const ticks = fields[19]
    return `${boot.trim()}:${ticks}`
  } catch {
    return ''
  }
}
