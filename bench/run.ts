import * as history from './history.ts'
import * as marketData from './market-data.ts'
import * as orders from './orders.ts'
import * as stream from './stream.ts'
import * as transfers from './transfers.ts'

/** `npm run bench -- NAME [options]`: each measures figures side by side in one run and prints a table. */
const BENCHES: Readonly<Record<string, { run(args: string[]): Promise<void> }>> = {
  history,
  'market-data': marketData,
  orders,
  stream,
  transfers,
}

const [name = '', ...args] = process.argv.slice(2)
const bench = BENCHES[name]
if (bench === undefined) {
  console.error(`Usage: npm run bench -- ${Object.keys(BENCHES).join(' | ')}`)
  process.exitCode = 1
} else {
  await bench.run(args)
}
