import type { ConversionQuote, ConversionQuoteRequest } from '@kantor/contract/api'
import { computed, onScopeDispose, ref, shallowRef, watch } from 'vue'
import { useCountdown } from './useCountdown.ts'

const TYPING_PAUSE_MS = 350
/** An unattended page stops asking after this many offers that nobody took. */
const RENEWALS_MAX = 8

export interface QuoteDeps {
  fetchQuote: (request: ConversionQuoteRequest, signal: AbortSignal) => Promise<ConversionQuote>
  isVisible?: () => boolean
  now?: () => number
}

/**
 * When a quote that was asked for then ends, by this device's clock. Only how long it is firm is taken from the
 * server: people's clocks are minutes off, and by such a clock every price would be dead, or live too long. Counted
 * from the question, so that the page gives up before the server does.
 */
function endOf({ quotedAt, expiresAt }: ConversionQuote, askedAtMs: number): number {
  return askedAtMs + Date.parse(expiresAt) - Date.parse(quotedAt)
}

/** Which of the two amounts was typed; the other one is the server's answer. */
export type Side = 'from' | 'to'

function isZero(amount: string): boolean {
  return /^[0.]*$/.test(amount)
}

/**
 * Keeps a firm quote for what is typed: asked for when typing rests, replaced when it expires, dropped when
 * the wish changes. The amount that was not typed is always the quote's, never reckoned here.
 */
export function useConversionQuote(deps: QuoteDeps, start: { from: string; to: string; amount?: string }) {
  const from = ref(start.from)
  const to = ref(start.to)
  const side = ref<Side>('from')
  const typed = ref<string | null>(start.amount ?? '')
  const quote = shallowRef<ConversionQuote | null>(null)
  const error = shallowRef<unknown>(null)
  const asking = ref(false)
  const renewals = ref(0)
  const held = ref(false)

  let pause: ReturnType<typeof setTimeout> | undefined
  let inFlight: AbortController | undefined

  const wish = computed<ConversionQuoteRequest | null>(() => {
    if (typed.value === null || typed.value === '' || isZero(typed.value)) return null
    const amount = side.value === 'from' ? { fromAmount: typed.value } : { toAmount: typed.value }
    return { from: from.value, to: to.value, ...amount }
  })
  const now = deps.now ?? Date.now
  const endsAtMs = ref(0)
  const { secondsLeft, reset } = useCountdown(() => (quote.value === null ? null : endsAtMs.value), now)
  const secondsTotal = ref(0)
  const expired = computed(() => quote.value !== null && secondsLeft.value === 0)

  function drop(): void {
    clearTimeout(pause)
    inFlight?.abort()
    asking.value = false
  }

  async function ask(): Promise<void> {
    drop()
    const request = wish.value
    if (request === null) return
    const controller = (inFlight = new AbortController())
    asking.value = true
    const askedAtMs = now()
    try {
      const answer = await deps.fetchQuote(request, controller.signal)
      if (controller.signal.aborted) return
      quote.value = answer
      endsAtMs.value = endOf(answer, askedAtMs)
      error.value = null
      reset()
      secondsTotal.value = secondsLeft.value
    } catch (failure) {
      if (controller.signal.aborted) return
      quote.value = null
      error.value = failure
    }
    asking.value = false
  }

  watch(
    wish,
    (next) => {
      drop()
      renewals.value = 0
      error.value = null
      if (next === null) {
        quote.value = null
        return
      }
      asking.value = true
      pause = setTimeout(() => void ask(), TYPING_PAUSE_MS)
    },
    { immediate: true },
  )

  watch(expired, (over) => {
    const attended = deps.isVisible?.() ?? true
    if (!over || held.value || !attended || renewals.value >= RENEWALS_MAX) return
    renewals.value++
    void ask()
  })
  onScopeDispose(drop)

  /** What each field shows: the typed side as typed, the other as quoted, and nothing once the wish is gone. */
  const amountOf = (which: Side) => (which === side.value ? typed.value : (quote.value?.[which].amount ?? ''))

  function type(which: Side, amount: string | null): void {
    side.value = which
    typed.value = amount
  }

  /** Choosing the other side's asset exchanges the two, since nobody converts a thing into itself. */
  function choose(which: Side, asset: string): void {
    const [own, other] = which === 'from' ? [from, to] : [to, from]
    if (asset === other.value) other.value = own.value
    own.value = asset
    quote.value = null
  }

  function swap(): void {
    const amount = quote.value?.to.amount ?? typed.value
    ;[from.value, to.value] = [to.value, from.value]
    type('from', amount)
    quote.value = null
  }

  async function renew(): Promise<void> {
    renewals.value = 0
    error.value = null
    await ask()
  }

  return {
    from,
    to,
    side,
    quote,
    error,
    asking,
    expired,
    held,
    secondsLeft,
    secondsTotal,
    wish,
    amountOf,
    type,
    choose,
    swap,
    renew,
  }
}
