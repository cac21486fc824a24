import { startEmbedded } from '#db'

// A process of its own that holds an embedded server, for tests to kill: node hold-embedded.ts <data folder>
// It prints the server's address when that is up, and ends cleanly on TERM.
const log = { info: console.error, warn: console.error }
const server = await startEmbedded({ dataDir: process.argv[2] ?? '', log })
const alive = setInterval(() => {}, 60_000)
process.once('SIGTERM', () => {
  clearInterval(alive)
  void server.stop()
})
console.log(server.url)
