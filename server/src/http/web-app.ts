import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'
import { API_PREFIX } from './mount.ts'

/**
 * Serves the built web app: hashed assets for a year, everything else fresh, and the page itself at every
 * address the router may know. Files are found by the plugin inside `directory` only.
 */
export async function serveWebApp(
  app: FastifyInstance,
  directory: string,
  pages: readonly string[],
): Promise<void> {
  const page = await readFile(join(directory, 'index.html'))
  await app.register(fastifyStatic, {
    root: directory,
    index: false,
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const immutable = path.includes(join(directory, 'assets'))
      void reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  for (const url of pages) {
    app.get(url, async (_request, reply) => {
      return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page)
    })
  }
  if (pages.some((url) => url.startsWith(API_PREFIX))) throw new Error('a page must not stand below the API')
}
