import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance } from 'fastify'

/**
 * Serves the built web app: hashed assets for a year, everything else fresh, and the page itself at every other
 * address that a browser asks a page of, since only its router knows which exist. Files are found by the plugin
 * inside `directory` only.
 */
export async function serveWebApp(app: FastifyInstance, directory: string): Promise<void> {
  const page = await readFile(join(directory, 'index.html'))
  const assets = join(directory, 'assets')
  await app.register(fastifyStatic, {
    root: directory,
    index: false,
    wildcard: false,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const immutable = path.startsWith(assets)
      void reply.header('cache-control', immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    },
  })
  app.get('/*', async (request, reply) => {
    // The address that the start prints answers whoever asks; elsewhere a program that mistyped is told so.
    const isRoot = /^\/(\?|$)/.test(request.url)
    const wantsPage = isRoot || request.headers.accept?.includes('text/html') === true
    if (!wantsPage || request.url.startsWith('/api/')) return reply.callNotFound()
    return reply.type('text/html; charset=utf-8').header('cache-control', 'no-cache').send(page)
  })
}
