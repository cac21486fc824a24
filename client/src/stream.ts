import { ApiError, noAnswer, refusalOf } from './api-error.ts'
import { pause, secondsBefore } from './retry.ts'
import { readEvents } from './server-sent-events.ts'
import type { SentPause } from './server-sent-events.ts'
import type { Settings } from './settings.ts'

/** The server says something every few seconds, were it a comment; one that is silent for so long is gone. */
const SILENCE_SECONDS_MAX = 60
const WAIT_SECONDS_MAX = 30
const GROWING_TIMES_MAX = 6
/** A connection that held for so long was not the trouble: the next is asked for soon. */
const STEADY_MS = 5_000
/** Refusals after which asking again is worth it: the server is starting, full, or gone for the moment. */
const PASSING: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504])

interface Event {
  readonly event: string
  readonly id: string
  readonly data: unknown
}

/**
 * The live stream as an iterator. When the connection is lost it is opened again, after the last event that was handed
 * out, with growing pauses; a server that sends its clients away says for how long, to each another time. What it
 * refuses for good (401, 403, 404) is thrown. Ends when its signal does.
 */
export async function* openStream(
  settings: Settings,
  query: object = {},
  options: { readonly signal?: AbortSignal; readonly after?: string } = {},
): AsyncGenerator<Event, void> {
  const { signal } = options
  const ended = () => signal?.aborted === true
  let after = options.after ?? ''
  for (let lost = 0; !ended(); lost += 1) {
    const openedAtMs = performance.now()
    let refusal: ApiError | null = null
    let sentAwayMs: number | null = null
    try {
      for await (const sent of connect(settings, query, after, signal)) {
        // What is said at the start is for a connection that is lost, of which we know more: only last words count.
        sentAwayMs = 'retryMs' in sent ? sent.retryMs : null
        if ('retryMs' in sent) continue
        if (sent.id !== '') after = sent.id
        yield sent
      }
    } catch (error) {
      if (ended()) return
      refusal = error instanceof ApiError ? error : noAnswer(error)
      if (refusal.status !== null && !PASSING.has(refusal.status)) {
        settings.onRefusal(refusal)
        throw refusal
      }
    }
    if (performance.now() - openedAtMs > STEADY_MS) lost = 0
    const wait =
      refusal === null && sentAwayMs !== null
        ? sentAwayMs / 1_000
        : secondsBefore(Math.min(lost, GROWING_TIMES_MAX), refusal, settings.retry.random)
    await pause(Math.min(wait, WAIT_SECONDS_MAX), signal).catch(() => {})
  }
}

async function* connect(
  settings: Settings,
  query: object,
  after: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Event | SentPause, void> {
  const silent = new AbortController()
  let timer = setTimeout(() => silent.abort(), settings.timeoutSeconds * 1000)
  const heard = () => {
    clearTimeout(timer)
    timer = setTimeout(() => silent.abort(), SILENCE_SECONDS_MAX * 1000)
  }
  try {
    const request = new Request(addressOf(settings.root, query), {
      headers: {
        accept: 'text/event-stream',
        ...settings.headers,
        ...(after === '' ? {} : { 'last-event-id': after }),
      },
      signal: signal === undefined ? silent.signal : AbortSignal.any([silent.signal, signal]),
      credentials: 'same-origin',
      redirect: 'error',
      cache: 'no-store',
    })
    const response = await settings.fetch(request)
    if (!response.ok) throw refusalOf(response, await response.json().catch(() => null))
    if (response.body === null) throw new ApiError({ code: 'unreadable_answer', status: response.status })
    heard()
    for await (const sent of readEvents(response.body)) {
      heard()
      if (sent === null) continue
      yield 'retryMs' in sent
        ? sent
        : { event: sent.event, id: sent.id, data: JSON.parse(sent.data) as unknown }
    }
  } finally {
    clearTimeout(timer)
    silent.abort()
  }
}

function addressOf(root: string, query: object): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)]))
  return `${root}/stream${search.size > 0 ? `?${search}` : ''}`
}
