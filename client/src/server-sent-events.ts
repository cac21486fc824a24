/** One event as it was sent (HTML Living Standard, section 9.2.6); `id` is the last one that was said, which stays. */
export interface SentEvent {
  readonly event: string
  readonly data: string
  readonly id: string
}

/** How long to be away before connecting again, says the server. */
export interface SentPause {
  readonly retryMs: number
}

/** No event of ours comes near it; a stream that sends no end of line is not gathered without end. */
const LINE_CHARACTERS_MAX = 1_048_576

/**
 * Reads events out of an answer's body. Comments (which keep the connection alive) are passed on as null, since they
 * too say that the other side lives.
 *
 * @throws RangeError for a line or event beyond 1 MiB
 */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
): AsyncGenerator<SentEvent | SentPause | null, void> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let [rest, event, data, id] = ['', '', '', '']
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      const lines = `${rest}${decoder.decode(value, { stream: true })}`.split(/\r\n|\n|\r(?!$)/u)
      rest = lines.pop() ?? ''
      if (rest.length + data.length > LINE_CHARACTERS_MAX) throw new RangeError('an event beyond 1 MiB')
      for (const line of lines) {
        if (line === '') {
          if (data !== '') yield { event: event === '' ? 'message' : event, data: data.slice(0, -1), id }
          ;[event, data] = ['', '']
          continue
        }
        const [field, text] = fieldOf(line)
        if (field === '') yield null
        else if (field === 'event') event = text
        else if (field === 'data') data += `${text}\n`
        else if (field === 'id' && !text.includes('\0')) id = text
        else if (field === 'retry' && /^[0-9]{1,9}$/.test(text)) yield { retryMs: Number(text) }
      }
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

function fieldOf(line: string): [field: string, value: string] {
  const colon = line.indexOf(':')
  if (colon < 0) return [line, '']
  const value = line.slice(colon + 1)
  return [line.slice(0, colon), value.startsWith(' ') ? value.slice(1) : value]
}
