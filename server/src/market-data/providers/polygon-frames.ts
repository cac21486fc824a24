import { parseExactJson } from './exact-json.ts'
import { newYorkDate } from './new-york.ts'
import { isRow, priceIn, pricesIn, tickerIn, volumeIn, type Row } from './polygon-prices.ts'
import { momentOf } from './polygon-request.ts'
import type { StreamChannel, StreamEvent, StreamTopic } from './stock-provider.ts'

/** https://polygon.io/docs/websocket/stocks */
export interface StatusMessage {
  readonly status: string
  readonly message: string
}

export interface Frame {
  readonly events: readonly StreamEvent[]
  readonly statuses: readonly StatusMessage[]
  /** Entries of a known kind that could not be read. */
  readonly refused: number
}

const PREFIXES: Readonly<Record<StreamChannel, string>> = {
  minuteBars: 'AM',
  secondBars: 'A',
  trades: 'T',
  quotes: 'Q',
}

/** `AM.AAPL`; the ticker `*` stands for all. */
export function topicText(topic: StreamTopic): string {
  if (topic.ticker !== '*' && tickerIn(topic.ticker) === null) throw new RangeError('not a ticker')
  return `${PREFIXES[topic.channel]}.${topic.ticker}`
}

/**
 * Reads one frame: an array of entries told apart by `ev`. Kinds that we did not ask for are passed over.
 * @throws ProviderError where it is not JSON or not an array
 */
export function readFrame(text: string): Frame {
  const body = parseExactJson(text)
  const entries: unknown[] = Array.isArray(body) ? body : [body]
  const events: StreamEvent[] = []
  const statuses: StatusMessage[] = []
  let refused = 0
  for (const entry of entries) {
    if (!isRow(entry)) refused += 1
    else if (entry['ev'] === 'status') statuses.push(readStatus(entry))
    else {
      const event = readEvent(entry)
      if (event === null) refused += 1
      else if (event !== 'unknown') events.push(event)
    }
  }
  return { events, statuses, refused }
}

function readStatus(entry: Row): StatusMessage {
  const text = (value: unknown) => (typeof value === 'string' ? value.slice(0, 300) : '')
  return { status: text(entry['status']), message: text(entry['message']) }
}

function readEvent(entry: Row): StreamEvent | 'unknown' | null {
  const ticker = tickerIn(entry['sym'])
  switch (entry['ev']) {
    case 'AM':
      return ticker === null ? null : readBar(ticker, entry, 'minute')
    case 'A':
      return ticker === null ? null : readBar(ticker, entry, 'second')
    case 'T':
      return ticker === null ? null : readTrade(ticker, entry)
    case 'Q':
      return ticker === null ? null : readQuote(ticker, entry)
    default:
      return 'unknown'
  }
}

/** `s` and `e` are when the bar starts and ends; its own average is `vw`, that of the day `a`. */
function readBar(ticker: string, entry: Row, span: 'minute' | 'second'): StreamEvent | null {
  const prices = pricesIn(entry)
  const [start, end] = [momentOf(entry['s']), momentOf(entry['e'])]
  if (!prices.ok || start === null || end === null) return null
  const bar = {
    ticker,
    startAt: start.at,
    date: newYorkDate(start.at.getTime()),
    ...prices.value,
    trades: null,
  }
  return { kind: 'bar', span, bar, endAt: end.at }
}

function readTrade(ticker: string, entry: Row): StreamEvent | null {
  const [price, size, moment] = [priceIn(entry['p']), volumeIn(entry['s']), momentOf(entry['t'])]
  if (price === null || size === null || moment === null) return null
  return { kind: 'trade', trade: { ticker, price, size, asOf: moment.at, asOfNs: moment.ns } }
}

function readQuote(ticker: string, entry: Row): StreamEvent | null {
  const [bid, ask, moment] = [priceIn(entry['bp']), priceIn(entry['ap']), momentOf(entry['t'])]
  if (bid === null || ask === null || moment === null || Number(bid) > Number(ask)) return null
  const [bidSize, askSize] = [volumeIn(entry['bs']) ?? '0', volumeIn(entry['as']) ?? '0']
  return { kind: 'quote', quote: { ticker, bid, ask, bidSize, askSize, asOf: moment.at, asOfNs: moment.ns } }
}

/** The moment that an event is of, in ms. */
export function eventAt(event: StreamEvent): number {
  if (event.kind === 'bar') return event.bar.startAt.getTime()
  return (event.kind === 'trade' ? event.trade : event.quote).asOf.getTime()
}
