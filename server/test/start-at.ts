import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { loadConfig } from '#config'
import { start } from '#start'

// The real program at another moment, for recorded input that has a date:
//
//     node server/test/start-at.ts 2018-08-24T06:30:00Z
//
// Environment, address and TERM are as with main.ts. Only the clock is set, and ticks on from there. A moment on
// standard input, one a line, sets it again. When standard input ends, so does the program: it cannot outlive a test.

let offsetMs = offsetTo(process.argv[2] ?? '')

function offsetTo(moment: string): number {
  const time = Date.parse(moment)
  if (Number.isNaN(time)) throw new Error(`not a moment: ${JSON.stringify(moment)}`)
  return time - Date.now()
}

const running = await start({
  config: loadConfig(process.env),
  version: 'at-a-moment',
  webDirectory: join(import.meta.dirname, '../../web/dist'),
  clock: () => new Date(Date.now() + offsetMs),
  random: Math.random,
})
if (running === null) throw new Error('there is nothing to set a clock for in the role migrate')

const lines = createInterface({ input: process.stdin })
lines.on('line', (moment) => {
  offsetMs = offsetTo(moment)
  sayClock(moment)
})
process.once('SIGTERM', () => lines.close())
lines.once('close', () => {
  process.stdin.destroy()
  void running.stop()
})
sayClock(process.argv[2] ?? '')
console.log(running.address)

/** What the clock was set to, and how far ahead of the machine's it is since, in milliseconds. */
function sayClock(moment: string): void {
  console.log(`clock ${moment} ${offsetMs}`)
}
