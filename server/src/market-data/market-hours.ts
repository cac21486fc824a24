import type { Queryable } from '#db'
import { dayAfter, newYorkDate, newYorkMidnight } from './providers/new-york.ts'
import { nyseDay } from './providers/nyse-calendar.ts'
import { zonedMoment } from './providers/zoned-time.ts'

/** The running session, or while the market is closed, the next one. */
export interface MarketSession {
  readonly open: boolean
  readonly opensAt: Date
  readonly closesAt: Date
  readonly halfDay: boolean
}

/** When a market trades. In memory in each process, corrected every minute from what providers announced. */
export interface MarketHours {
  session(mic: string, at: Date): MarketSession
  /** The last session that had ended by then. */
  lastClosed(mic: string, at: Date): { readonly date: string; readonly closesAt: Date }
  /** A day's session (YYYY-MM-DD in New York); null when there is none. */
  sessionOn(mic: string, date: string): { readonly opensAt: Date; readonly closesAt: Date } | null
  refresh(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
}

/** A day that is not as the calendar has it. */
export interface MarketDay {
  readonly mic: string
  readonly date: string
  readonly status: 'closed' | 'earlyClose'
  readonly opensAt: Date | null
  readonly closesAt: Date | null
}

interface SessionOfDay {
  readonly date: string
  readonly opensAt: Date
  readonly closesAt: Date
  readonly halfDay: boolean
}

const NEW_YORK = 'America/New_York'
/** The longest known closing is a week (September 2001); past this something is wrong with the exceptions. */
const DAYS_AHEAD_MAX = 30
const SESSIONS_KEPT_MAX = 4_096

/** One market's session of one day in New York, or null. An exception goes before the rule. */
export function sessionOfDay(date: string, exception: MarketDay | undefined): SessionOfDay | null {
  const rule = nyseDay(date)
  if (exception?.status === 'closed') return null
  if (exception === undefined && rule.kind === 'closed') return null
  const halfDay = exception !== undefined || rule.kind === 'half'
  return {
    date,
    opensAt: exception?.opensAt ?? zonedMoment(date, '09:30', NEW_YORK),
    closesAt: exception?.closesAt ?? zonedMoment(date, halfDay ? '13:00' : '16:00', NEW_YORK),
    halfDay,
  }
}

export interface MarketHoursDeps {
  readonly db: Queryable
  readonly clock: () => Date
  /** The simulated market without session hours: it never closes. */
  readonly aroundTheClock: boolean
  readonly log: { warn(fields: object, message: string): void }
  readonly refreshMs?: number
}

export function createMarketHours(deps: MarketHoursDeps): MarketHours {
  let exceptions: ReadonlyMap<string, MarketDay> = new Map()
  let timer: NodeJS.Timeout | null = null
  const kept = new Map<string, SessionOfDay | null>()

  const sessionOf = (mic: string, date: string): SessionOfDay | null => {
    const key = `${exchangeOf(mic)} ${date}`
    const known = kept.get(key)
    if (known !== undefined) return known
    const session = deps.aroundTheClock ? wholeDay(date) : sessionOfDay(date, exceptions.get(key))
    if (kept.size >= SESSIONS_KEPT_MAX) kept.clear()
    kept.set(key, session)
    return session
  }
  const refresh = async () => {
    exceptions = await readExceptions(deps.db, dayAfter(newYorkDate(deps.clock().getTime()), -10))
    kept.clear()
  }
  const tick = () => {
    refresh()
      .catch((error: unknown) => deps.log.warn({ err: error }, 'market hours could not be refreshed'))
      .finally(() => {
        if (timer !== null) timer = setTimeout(tick, deps.refreshMs ?? 60_000).unref()
      })
  }
  return {
    refresh,
    session: (mic, at) => findSession(at, (date) => sessionOf(mic, date)),
    lastClosed: (mic, at) => findLastClosed(at, (date) => sessionOf(mic, date)),
    sessionOn: sessionOf,
    async start() {
      await refresh()
      timer = setTimeout(tick, deps.refreshMs ?? 60_000).unref()
    },
    stop() {
      if (timer !== null) clearTimeout(timer)
      timer = null
      return Promise.resolve()
    },
  }
}

type SessionOn = (date: string) => SessionOfDay | null

function findSession(at: Date, sessionOn: SessionOn): MarketSession {
  const today = newYorkDate(at.getTime())
  for (let days = 0; days <= DAYS_AHEAD_MAX; days += 1) {
    const session = sessionOn(dayAfter(today, days))
    if (session === null || session.closesAt <= at) continue
    const { opensAt, closesAt, halfDay } = session
    return { open: opensAt <= at, opensAt, closesAt, halfDay }
  }
  throw new Error(`no market session within ${DAYS_AHEAD_MAX} days of ${today}`)
}

function findLastClosed(at: Date, sessionOn: SessionOn): { date: string; closesAt: Date } {
  const today = newYorkDate(at.getTime())
  for (let days = 0; days <= DAYS_AHEAD_MAX; days += 1) {
    const session = sessionOn(dayAfter(today, -days))
    if (session !== null && session.closesAt <= at) return { date: session.date, closesAt: session.closesAt }
  }
  throw new Error(`no market session within ${DAYS_AHEAD_MAX} days before ${today}`)
}

/** A market that never closes: its sessions are New York's days, so that daily bars and "today" still mean something. */
function wholeDay(date: string): SessionOfDay {
  return {
    date,
    opensAt: new Date(newYorkMidnight(date)),
    closesAt: new Date(newYorkMidnight(dayAfter(date, 1))),
    halfDay: false,
  }
}

/** Announcements come per exchange, and Nasdaq's stand for all that we know no announcements of. */
function exchangeOf(mic: string): 'XNYS' | 'XNAS' {
  return mic === 'XNAS' ? 'XNAS' : 'XNYS'
}

async function readExceptions(q: Queryable, from: string): Promise<Map<string, MarketDay>> {
  const { rows } = await q.query<{
    mic: string
    on_date: string
    status: MarketDay['status']
    opens_at: Date | null
    closes_at: Date | null
  }>(`select mic, on_date, status, opens_at, closes_at from market_data.market_days where on_date >= $1`, [
    from,
  ])
  return new Map(
    rows.map((row) => [
      `${row.mic} ${row.on_date}`,
      { mic: row.mic, date: row.on_date, status: row.status, opensAt: row.opens_at, closesAt: row.closes_at },
    ]),
  )
}
