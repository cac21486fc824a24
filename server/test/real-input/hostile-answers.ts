import { json, type Answer } from './provider-server.ts'
import { recording } from './recordings.ts'

/** What a provider may say instead of rates, and the coded reason that must be kept for the operator. */
export interface HostileAnswer {
  readonly name: string
  readonly answer: () => Answer
  readonly code: string
}

const MEGABYTES = 50

/** The recorded refusals, and the recorded rates with one thing wrong. Not made up unless something recorded is there. */
export function hostileAnswers(): HostileAnswer[] {
  return [
    refusal('a missing key', 'fixer/error-101-missing-key.http200.json', 'fixer_101'),
    refusal('wrong codes', 'fixer/error-202.http200.json', 'fixer_202'),
    refusal('a refused key', 'fixer/apilayer-401.json', 'http_401', 401),
    { name: 'a failure of its own', answer: () => json('{"message":"sorry"}', 500), code: 'http_500' },
    {
      name: 'a page',
      answer: () => ({ body: '<!doctype html><title>Maintenance</title>' }),
      code: 'not_json',
    },
    changed('half a body', (text) => text.slice(0, text.length / 2), 'not_json'),
    changed('NaN', zloty('NaN'), 'not_json'),
    changed('text for a number', zloty('"4.283615"'), 'unexpected_shape'),
    changed('zero', zloty('0'), 'not_positive'),
    changed('a negative rate', zloty('-4.283615'), 'not_positive'),
    changed('1e400', zloty('1e400'), 'out_of_bounds'),
    changed('half the zloty', laterBy(60, zloty('2.141807')), 'jump'),
    changed('another base', (text) => text.replace('"base": "EUR"', '"base": "USD"'), 'wrong_base'),
    changed('no rate at all', (text) => text.replace(/"rates": \{[^}]*\}/, '"rates": {}'), 'no_rates'),
    changed('older rates', laterBy(-3_600), 'older_than_held'),
    changed('rates of the future', laterBy(10 * 365 * 86_400), 'future_dated'),
    changed(
      `${MEGABYTES} megabytes`,
      (text) => `${text}${' '.repeat(MEGABYTES * 1024 * 1024)}`,
      'body_too_large',
    ),
    // Last, since it is believed: nobody asks again before the next day.
    refusal('a spent month', 'fixer/error-104-quota.http200.json', 'fixer_104'),
  ]
}

function refusal(name: string, file: string, code: string, status = 200): HostileAnswer {
  return { name, answer: () => json(recording(file), status), code }
}

function changed(name: string, change: (text: string) => string, code: string): HostileAnswer {
  const answer = () => {
    const text = recording('fixer/latest.json').toString()
    const wrong = change(text)
    if (wrong === text) throw new Error(`${name} is the recorded body itself`)
    return json(wrong)
  }
  return { name, answer, code }
}

function zloty(value: string): (text: string) => string {
  return (text) => text.replace(/("PLN": *)[0-9.]+/, (_, before: string) => `${before}${value}`)
}

/** The recorded rates, said to be of another moment. */
export function laterBy(seconds: number, also = (text: string) => text): (text: string) => string {
  return (text) =>
    also(text).replace(
      /("timestamp": *)([0-9]+)/,
      (_, before: string, at: string) => `${before}${Number(at) + seconds}`,
    )
}
