// Starting programs so that none outlives us: in a group of their own, which is ended as a whole.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { ROOT } from './prepare.mjs'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']
const REPEAT_MS = 1_000
const GRACE_MS = 45_000

/** The programs of this project and the right Node first; nothing that npm set for its own purposes. */
export function environmentWith(nodeDir) {
  const path = [nodeDir, join(ROOT, 'node_modules/.bin'), process.env.PATH].filter(Boolean).join(delimiter)
  return { ...withoutNpm(process.env), PATH: path }
}

function withoutNpm(env) {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^npm_/i.test(name) && !/^path$/i.test(name)),
  )
}

/**
 * Where the kernel offers it, a program gets TERM when we are gone, kill -9 included. BusyBox has a setpriv
 * that does not know how.
 */
function dieWithUs() {
  const setpriv = '/usr/bin/setpriv'
  if (process.platform !== 'linux' || !existsSync(setpriv)) return []
  return realpathSync(setpriv).endsWith('busybox') ? [] : [setpriv, '--pdeathsig', 'TERM', '--']
}

export function startNode(args, env, stdio) {
  const [program, ...rest] = [...dieWithUs(), 'node', ...args]
  // Not in the terminal's group: Ctrl-C reaches us (once from it, once from npm), and we pass it on once.
  return spawn(program, rest, { cwd: ROOT, env, stdio, detached: process.platform !== 'win32' })
}

export function signalGroup(child, signal) {
  if (child.pid === undefined) return
  try {
    if (process.platform === 'win32') child.kill(signal)
    else process.kill(-child.pid, signal)
  } catch {
    // It has ended already.
  }
}

/** Resolves with the exit code that a shell would report. */
export function endOf(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGINT' ? 130 : 143)))
  })
}

/** Runs programs side by side until the first ends; the others are then asked to, and made to. */
export async function runForeground(commands, env) {
  const children = commands.map((args) => startNode(args, env, 'inherit'))
  const toMain = (signal) => children.forEach((child) => child.kill(signal))
  const stopPassing = passSignals(toMain)
  const stopWatching = watchParent(() => toMain('SIGTERM'))
  const ends = children.map(endOf)
  const code = await Promise.race(ends)
  toMain('SIGTERM')
  const timer = setTimeout(() => children.forEach((child) => signalGroup(child, 'SIGKILL')), GRACE_MS)
  await Promise.all(ends)
  clearTimeout(timer)
  stopPassing()
  stopWatching()
  children.forEach((child) => signalGroup(child, 'SIGKILL'))
  return code
}

export function passSignals(pass) {
  const last = {}
  const listeners = SIGNALS.map((signal) => {
    const listener = () => {
      const now = Date.now()
      if (now - (last[signal] ?? 0) < REPEAT_MS) return
      last[signal] = now
      pass(signal)
    }
    process.on(signal, listener)
    return [signal, listener]
  })
  return () => listeners.forEach(([signal, listener]) => process.off(signal, listener))
}

/** npm that is killed outright cannot tell us; somebody on the way up to it then has another parent. */
function watchParent(whenGone) {
  if (process.env.npm_lifecycle_event === undefined) return () => {}
  const before = wayToNpm()
  const timer = setInterval(() => {
    if (wayToNpm() === before) return
    clearInterval(timer)
    whenGone()
  }, 1_000)
  return () => clearInterval(timer)
}

/** Our parent is npm, or the shell that npm started us with; then npm is the shell's parent. */
function wayToNpm() {
  const parent = process.ppid
  try {
    const isShell = readFileSync(`/proc/${parent}/cmdline`, 'utf8').includes('-c\0node scripts/run.mjs')
    const stat = readFileSync(`/proc/${parent}/stat`, 'utf8')
    return isShell ? `${parent} ${stat.slice(stat.lastIndexOf(')')).split(' ')[2]}` : `${parent}`
  } catch {
    return `${parent}`
  }
}
