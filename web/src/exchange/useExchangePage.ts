import { computed, watch } from 'vue'
import { useRoute } from 'vue-router'
import { ApiError, createConversionQuote } from '#api'
import { scaleOf } from '#i18n'
import { currentMe } from '#identity'
import { useRates } from '#market-data'
import { exceeds } from '#ui'
import { useAssetChoices } from '#wallets'
import { openingPair, rememberPair } from './last-pair.ts'
import { useConversion } from './useConversion.ts'
import { useConversionQuote } from './useConversionQuote.ts'

const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : undefined)

/** What the Convert page does: a pair to begin with, a quote that is kept firm, and one confirmation. */
export function useExchangePage() {
  const route = useRoute()
  const { all, held, availableOf } = useAssetChoices()
  const asked = { from: text(route.query['from']), to: text(route.query['to']) }
  const amount = text(route.query['amount'])
  const pair = openingPair(
    { ...(asked.from && { from: asked.from }), ...(asked.to && { to: asked.to }) },
    held.value.map((choice) => choice.code),
    currentMe.value?.baseCurrency ?? 'EUR',
  )
  const quoting = useConversionQuote(
    { fetchQuote: createConversionQuote, isVisible: () => document.visibilityState === 'visible' },
    { ...pair, ...(amount !== undefined && { amount }) },
  )
  const conversion = useConversion()

  /** On a page that opens before the wallet is known, the pair becomes the wallet's, unless one was touched. */
  const stopWaiting = watch(held, (choices) => {
    stopWaiting()
    const untouched = quoting.from.value === pair.from && quoting.to.value === pair.to
    if (asked.from !== undefined || asked.to !== undefined || !untouched || quoting.wish.value !== null)
      return
    const base = currentMe.value?.baseCurrency ?? 'EUR'
    const own = openingPair(
      {},
      choices.map((choice) => choice.code),
      base,
    )
    quoting.from.value = own.from
    quoting.to.value = own.to
  })

  const { data: rates } = useRates(() => quoting.from.value)
  /** The time of a rate that is too old to be dealt at, for the page to say before anything is typed. */
  const staleSince = computed(() => {
    const rate = rates.value?.items.find((candidate) => candidate.counter === quoting.to.value)
    return rate?.stale === true ? rate.asOf : null
  })
  const midNow = computed(
    () => rates.value?.items.find((candidate) => candidate.counter === quoting.to.value)?.mid ?? null,
  )
  /** The amount that was typed, which is what a plan fixes. */
  const typed = computed(() => {
    const { wish } = quoting
    return wish.value === null
      ? null
      : { side: quoting.side.value, text: quoting.amountOf(quoting.side.value) ?? '' }
  })
  const available = computed(() => availableOf(quoting.from.value))
  /** Said beside the field, before anything is refused; the server judges again when it posts. */
  const tooMuch = computed(() => {
    const pays = quoting.amountOf('from')
    return Boolean(pays) && exceeds(pays ?? '', available.value ?? '0', scaleOf(quoting.from.value))
  })
  const ready = computed(
    () =>
      quoting.quote.value !== null &&
      !quoting.asking.value &&
      !quoting.expired.value &&
      quoting.error.value === null &&
      !tooMuch.value,
  )

  /** Taken from the board on the same page while it is open. */
  watch(
    () => route.query,
    (query) => {
      const [from, to] = [text(query['from']), text(query['to'])]
      if (route.name !== 'convert' || from === undefined || to === undefined || from === to) return
      conversion.receipt.value = null
      quoting.from.value = from
      quoting.to.value = to
      quoting.quote.value = null
    },
  )
  watch(quoting.wish, () => (conversion.error.value = null))

  async function confirm(): Promise<void> {
    const quote = quoting.quote.value
    if (quote === null || !ready.value) return
    quoting.held.value = true
    await conversion.confirm(quote)
    quoting.held.value = false
    if (conversion.receipt.value !== null) rememberPair({ from: quote.from.asset, to: quote.to.asset })
    const { error } = conversion
    const gone = error.value instanceof ApiError && ['quote_expired', 'quote_used'].includes(error.value.code)
    if (gone) await quoting.renew()
  }

  function again(): void {
    conversion.receipt.value = null
    quoting.type('from', '')
    quoting.quote.value = null
  }

  return {
    quoting,
    conversion,
    all,
    held,
    available,
    tooMuch,
    staleSince,
    midNow,
    typed,
    ready,
    confirm,
    again,
  }
}

export type ExchangePageModel = ReturnType<typeof useExchangePage>
