// The client as it is published: JavaScript and declarations, with a manifest that points at them. Inside this
// repository its TypeScript is used as it is.
import { copyFile, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { generateClientTypes, capture, ROOT, Trouble } from './prepare.mjs'

/** Writes the package into a folder, of which nothing else is kept. */
export async function buildClient(folder, env) {
  await generateClientTypes(env)
  await rm(folder, { recursive: true, force: true })
  const compiler = 'node_modules/typescript/bin/tsc'
  const { code, output } = await capture(
    'node',
    [compiler, '-p', 'client/tsconfig.build.json', '--outDir', folder],
    ROOT,
    env,
  )
  if (code !== 0) throw new Trouble(`The client does not compile.\n${output}`)
  const { private: _, ...manifest } = JSON.parse(await readFile(join(ROOT, 'client/package.json'), 'utf8'))
  const exports = { '.': { types: './index.d.ts', default: './index.js' } }
  await writeFile(join(folder, 'package.json'), `${JSON.stringify({ ...manifest, exports }, null, 2)}\n`)
  await copyFile(join(ROOT, 'client/README.md'), join(folder, 'README.md'))
  await copyFile(join(ROOT, 'LICENSE'), join(folder, 'LICENSE'))
}
