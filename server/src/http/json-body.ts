import { Problem } from '@kantor/contract/errors'
import type { FastifyInstance } from 'fastify'
import { repeatsName } from './repeated-names.ts'

/** Refuses bytes that are no UTF-8, where the usual decoder puts U+FFFD in their place: that would repair a note. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

const ACCEPTED_TYPE = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

const REPEATED = 'An object in the body names a member twice. Nothing was changed.'

/** JSON in UTF-8, uncompressed, and nothing else: what is not read as it was sent is refused, not guessed. */
export function takeJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, bytes, done) => {
    const isPlain = (request.headers['content-encoding'] ?? 'identity') === 'identity'
    if (!isPlain || !ACCEPTED_TYPE.test(request.headers['content-type'] ?? '')) {
      done(new Problem('unsupported_media_type'))
      return
    }
    let text: string
    try {
      text = utf8.decode(bytes as Buffer)
    } catch (error) {
      done(new Problem('malformed_json', { cause: error }))
      return
    }
    // It answers through `done` alone, though its type allows a promise.
    void parseJson(request, text, (error, body) => {
      if (error === null && repeatsName(text)) done(new Problem('malformed_json', { detail: REPEATED }))
      else done(error, body)
    })
  })
}
