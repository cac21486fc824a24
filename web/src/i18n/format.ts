import {
  currencyByCode,
  displayAmount,
  INSTRUMENT_SCALE,
  parseSignedAmount,
  type DisplayOptions,
} from '@kantor/contract/money'
import { useText } from './index.ts'

/** The digits an asset has. An instrument has nine, and is shown with those that a given text has. */
export function scaleOf(asset: string, amount?: string): number {
  const known = currencyByCode(asset)
  if (known !== undefined || amount === undefined) return known?.scale ?? INSTRUMENT_SCALE
  const point = amount.indexOf('.')
  return point < 0 ? 0 : amount.length - point - 1
}

/** Largest first, with how many of the smallest each begins at. */
const SPANS = [
  ['day', 172_800_000, 86_400_000],
  ['hour', 7_200_000, 3_600_000],
  ['minute', 120_000, 60_000],
  ['second', 1_000, 1_000],
  ['millisecond', 0, 1],
] as const

const formatters = new Map<string, Intl.DateTimeFormat>()

function dates(tag: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = tag + JSON.stringify(options)
  const known = formatters.get(key) ?? new Intl.DateTimeFormat(tag, options)
  formatters.set(key, known)
  return known
}

/** The customer's own calendar day of a moment, as a key to group by. */
export function dayOf(moment: string | Date): string {
  const date = new Date(moment)
  return `${date.getFullYear()}-${String(date.getMonth() + 1).padStart(2, '0')}-${String(date.getDate()).padStart(2, '0')}`
}

/** The year goes without saying only while it is this one. */
function yearUnless(moment: string, now: Date): { year?: 'numeric' } {
  return new Date(moment).getFullYear() === now.getFullYear() ? {} : { year: 'numeric' }
}

/** Figures, dates and names as the chosen language writes them; reading one in a template follows a change. */
export function useFormat() {
  const { t, tag, locale } = useText()

  /** `1234.5`, `EUR` → `1,234.50`; the contract's text is exact, and so is this. */
  function figure(amount: string, asset: string, options: DisplayOptions = {}): string {
    const scale = Math.max(scaleOf(asset, amount), 0)
    const parsed = parseSignedAmount(amount, scale)
    if (!parsed.ok) return amount
    const quantity = currencyByCode(asset) === undefined ? { trimZeros: true } : {}
    return displayAmount(parsed.minor, scale, tag.value, { ...quantity, ...options }).replace('-', '−')
  }

  /** The same in two parts that meet before the decimal mark. */
  function figureParts(
    amount: string,
    asset: string,
    options?: DisplayOptions,
  ): [whole: string, fraction: string] {
    const text = figure(amount, asset, options)
    const mark = text.search(/[.,]\d+$/u)
    // English groups with the mark that Polish parts decimals with; an asset without decimals has no mark.
    const has = mark >= 0 && (scaleOf(asset, amount) > 0 || currencyByCode(asset) === undefined)
    return has ? [text.slice(0, mark), text.slice(mark)] : [text, '']
  }

  /** With its unit. The blank does not break, so a figure never parts from its code. */
  const money = (amount: string, asset: string, options?: DisplayOptions) =>
    `${figure(amount, asset, options)}\u00a0${asset}`

  /** A rate keeps the digits it was given, except zeros at the end that say nothing (four digits are usual). */
  function decimal(text: string): string {
    const given = text.split('.')[1] ?? ''
    const digits = Math.max(given.replace(/0+$/u, '').length, Math.min(given.length, 4))
    return new Intl.NumberFormat(tag.value, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(text as Intl.StringNumericLiteral)
  }

  /** The same to six digits that say something, and four decimals at least: a rate beside the amounts that it made. */
  function roundedRate(text: string): string {
    const [whole = '', given = ''] = text.split('.')
    const zeros = /^0*/u.exec(given)?.[0].length ?? 0
    return new Intl.NumberFormat(tag.value, {
      minimumFractionDigits: Math.min(given.length, 4),
      maximumFractionDigits: whole === '0' ? zeros + 6 : Math.max(6 - whole.length, 4),
    }).format(text as Intl.StringNumericLiteral)
  }

  /**
   * A rate for a board, in two parts that align on the decimal mark. Shown to a few digits: what is dealt
   * at stands in the quote, in full.
   */
  function shortRate(text: string): [whole: string, fraction: string] {
    const whole = text.split('.')[0] ?? ''
    const zeros = /^0\.(0*)/u.exec(text)?.[1]?.length ?? 0
    const digits = whole.length >= 4 ? 2 : whole === '0' ? Math.min(Math.max(zeros + 2, 4), 10) : 4
    const shown = new Intl.NumberFormat(tag.value, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits,
    }).format(text as Intl.StringNumericLiteral)
    const mark = shown.length - digits - 1
    return [shown.slice(0, mark), shown.slice(mark)]
  }

  /** The price of a share: cents, and up to four digits where there are any; more only below one. */
  function price(text: string): string {
    const most = Math.abs(Number(text)) < 1 ? 6 : 4
    return new Intl.NumberFormat(tag.value, { minimumFractionDigits: 2, maximumFractionDigits: most })
      .format(text as Intl.StringNumericLiteral)
      .replace('-', '−')
  }

  /** The same of a change, which says its direction. */
  const signedPrice = (text: string) =>
    text.startsWith('-') || /^[0.]*$/u.test(text) ? price(text) : `+${price(text)}`

  /** `0.4456` reads `+0.45 %`. */
  function percent(text: string): string {
    const shown = new Intl.NumberFormat(tag.value, {
      minimumFractionDigits: 2,
      maximumFractionDigits: 2,
      signDisplay: 'exceptZero',
    }).format(text as Intl.StringNumericLiteral)
    return `${shown.replace('-', '−')}\u00a0%`
  }

  /** `48213000` reads `48.2M`: for volumes, whose last digits say nothing. */
  const compact = (text: string) =>
    new Intl.NumberFormat(tag.value, { notation: 'compact', maximumFractionDigits: 1 }).format(
      text as Intl.StringNumericLiteral,
    )

  /** Masked letters are few enough to read past: `Wa*** N***`, however long the name is. */
  const personName = (name: string) => name.replaceAll(/\*{2,}/gu, '***')

  /** Central banks and vendors by their own names; anything else as the server calls it. */
  function sourceName(source: string): string {
    if (source === 'simulated') return t('rates.simulated')
    const [vendor = source] = source.split(/[:/ ]/u)
    const names: Record<string, string> = { nbp: 'NBP', ecb: 'ECB', fixer: 'Fixer' }
    return names[vendor] === undefined ? source : source.replace(vendor, names[vendor])
  }

  const percentOfBps = (bps: number) =>
    `${new Intl.NumberFormat(tag.value, { minimumFractionDigits: 2 }).format(bps / 100)}\u00a0%`

  const time = (moment: string) =>
    dates(tag.value, { hour: '2-digit', minute: '2-digit' }).format(new Date(moment))
  const date = (moment: string) => dates(tag.value, { dateStyle: 'medium' }).format(new Date(moment))
  const dateTime = (moment: string) =>
    dates(tag.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(moment))
  const exactTime = (moment: string) =>
    dates(tag.value, { dateStyle: 'medium', timeStyle: 'medium' }).format(new Date(moment))

  function day(moment: string, now = new Date()): string {
    const key = dayOf(moment)
    if (key === dayOf(now)) return t('ui.today')
    if (key === dayOf(new Date(now.getTime() - 86_400_000))) return t('ui.yesterday')
    const options = { weekday: 'long', day: 'numeric', month: 'long', ...yearUnless(moment, now) } as const
    return dates(tag.value, options).format(new Date(moment))
  }

  /** `14:00` of today, else `20 Nov, 11:45`, with another year's number: for figures whose age matters. */
  function moment(at: string): string {
    const now = new Date()
    if (dayOf(at) === dayOf(now)) return time(at)
    const options = { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' } as const
    return dates(tag.value, { ...options, ...yearUnless(at, now) }).format(new Date(at))
  }

  /** How long something took or lasts, in the unit that says it shortly: `340 ms`, `1.2 s`, `90 min`, `3 days`. */
  function duration(ms: number): string {
    const [unit, , size] = SPANS.find(([, from]) => ms >= from) ?? SPANS[4]
    const options = { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits: 1 } as const
    return new Intl.NumberFormat(tag.value, options).format(ms / size)
  }

  /** The currency's name in the language of the page; ours where the browser knows none. */
  function assetName(code: string, fallback?: string): string {
    const known = currencyByCode(code)
    if (known !== undefined && known.kind !== 'crypto') {
      const name = new Intl.DisplayNames(locale.value, { type: 'currency', fallback: 'none' }).of(code)
      if (name !== undefined) return name.charAt(0).toLocaleUpperCase(tag.value) + name.slice(1)
    }
    return known?.name ?? fallback ?? code
  }

  return {
    figure,
    figureParts,
    money,
    decimal,
    roundedRate,
    price,
    signedPrice,
    percent,
    compact,
    shortRate,
    sourceName,
    personName,
    percentOfBps,
    time,
    date,
    dateTime,
    exactTime,
    day,
    moment,
    duration,
    assetName,
  }
}
