import type { ConversionQuote, ConversionQuoteRequest } from '@kantor/contract/api'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { effectScope, type EffectScope } from 'vue'
import { useConversionQuote, type QuoteDeps } from './useConversionQuote.ts'

const TTL_SECONDS = 30
let scope: EffectScope
let asked: ConversionQuoteRequest[]

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  scope = effectScope()
  asked = []
})
afterEach(() => {
  scope.stop()
  vi.useRealTimers()
})

function quoteFor(request: ConversionQuoteRequest): ConversionQuote {
  const from = request.fromAmount ?? '10.00'
  const to = request.toAmount ?? '40.00'
  return {
    id: String(asked.length),
    from: { asset: request.from, amount: from },
    to: { asset: request.to, amount: to },
    rate: '4',
    mid: '4',
    marginBps: 0,
    fee: { asset: request.from, amount: '0.00' },
    rateAsOf: new Date().toISOString(),
    source: 'test',
    quotedAt: new Date().toISOString(),
    expiresAt: new Date(Date.now() + TTL_SECONDS * 1000).toISOString(),
  }
}

function quoting(deps: Partial<QuoteDeps> = {}) {
  const made = scope.run(() =>
    useConversionQuote(
      {
        fetchQuote: async (request) => {
          asked.push(request)
          return quoteFor(request)
        },
        ...deps,
      },
      { from: 'EUR', to: 'PLN' },
    ),
  )
  if (made === undefined) throw new Error('the scope is stopped')
  return made
}

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1000)

describe('useConversionQuote', () => {
  test('asks once when typing rests, for the amount that was typed', async () => {
    const quote = quoting()
    quote.type('from', '1.00')
    await pass(0.1)
    quote.type('from', '12.00')
    await pass(1)
    expect(asked).toEqual([{ from: 'EUR', to: 'PLN', fromAmount: '12.00' }])
    expect(quote.amountOf('to')).toBe('40.00')
    expect(quote.secondsLeft.value).toBe(TTL_SECONDS)
  })

  test('either side may be typed; the other is always the server’s answer', async () => {
    const quote = quoting()
    quote.type('to', '80.00')
    await pass(1)
    expect(asked).toEqual([{ from: 'EUR', to: 'PLN', toAmount: '80.00' }])
    expect([quote.amountOf('from'), quote.amountOf('to')]).toEqual(['10.00', '80.00'])
  })

  test.each(['', '0', '0.00', null])('asks nothing for %j', async (amount) => {
    const quote = quoting()
    quote.type('from', amount)
    await pass(1)
    expect(asked).toEqual([])
    expect(quote.quote.value).toBeNull()
  })

  test('an overtaken answer is dropped', async () => {
    const replies: ((quote: ConversionQuote) => void)[] = []
    const quote = quoting({ fetchQuote: () => new Promise((resolve) => replies.push(resolve)) })
    quote.type('from', '1.00')
    await pass(1)
    quote.type('from', '2.00')
    await pass(1)
    replies[1]?.(quoteFor({ from: 'EUR', to: 'PLN', fromAmount: '2.00' }))
    replies[0]?.(quoteFor({ from: 'EUR', to: 'PLN', fromAmount: '1.00' }))
    await pass(0.1)
    expect(quote.quote.value?.from.amount).toBe('2.00')
  })

  test('an expired quote is replaced, but not for ever and not in a hidden page', async () => {
    const quote = quoting()
    quote.type('from', '5.00')
    await pass(1)
    await pass(TTL_SECONDS)
    expect(asked).toHaveLength(2)
    await pass(TTL_SECONDS * 40)
    expect(asked).toHaveLength(9)
    expect(quote.expired.value).toBe(true)
    await quote.renew()
    expect(quote.expired.value).toBe(false)

    const hidden = quoting({ isVisible: () => false })
    asked = []
    hidden.type('from', '5.00')
    await pass(TTL_SECONDS * 3)
    expect(asked.filter((request) => request.fromAmount === '5.00').length).toBeLessThan(5)
    expect(hidden.expired.value).toBe(true)
  })

  test('a quote being confirmed is not replaced under the button', async () => {
    const quote = quoting()
    quote.type('from', '5.00')
    await pass(1)
    quote.held.value = true
    await pass(TTL_SECONDS * 2)
    expect(asked).toHaveLength(1)
  })

  test('a refusal takes the quote away and is kept to be said', async () => {
    const quote = quoting({ fetchQuote: () => Promise.reject(new Error('rate_unknown')) })
    quote.type('from', '5.00')
    await pass(1)
    expect(quote.quote.value).toBeNull()
    expect(quote.error.value).toEqual(new Error('rate_unknown'))
    expect(quote.asking.value).toBe(false)
  })

  test('choosing the other side’s asset exchanges the two', async () => {
    const quote = quoting()
    quote.choose('from', 'PLN')
    expect([quote.from.value, quote.to.value]).toEqual(['PLN', 'EUR'])
  })

  test('the swap keeps what one would get as what one pays', async () => {
    const quote = quoting()
    quote.type('from', '10.00')
    await pass(1)
    quote.swap()
    await pass(1)
    expect(asked.at(-1)).toEqual({ from: 'PLN', to: 'EUR', fromAmount: '40.00' })
  })
})
