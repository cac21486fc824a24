import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { configDoc } from './config-doc.ts'

// `npm run config-doc`
const file = join(import.meta.dirname, '../../docs/configuration.md')
await writeFile(file, configDoc())
console.log(`${file} is written.`)
