import type { Instrument, Order, OrderRequest } from '@kantor/contract/api'
import { currencyByCode } from '@kantor/contract/money'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import { createIntent, postOrder, previewOrder } from '#api'
import { scaleOf } from '#i18n'
import { currentMe } from '#identity'
import { exceeds, isZeroAmount, type AssetChoice } from '#ui'
import { useAssetChoices } from '#wallets'
import { allowedTimes, requestOf, type Side, type TicketForm } from './order-request.ts'
import { useTradeMoved } from './queries.ts'
import { useOrderPreview } from './useOrderPreview.ts'

/** What the order ticket does: a wish, its preview, one confirmation; the same order is never placed twice. */
export function useOrderTicket(instrument: () => Instrument, side: Side) {
  const { held, availableOf } = useAssetChoices()
  const tradeMoved = useTradeMoved()
  const intent = createIntent<OrderRequest>()
  const form = reactive<TicketForm>({
    side,
    type: 'market',
    measure: side === 'buy' ? 'money' : 'shares',
    amount: '',
    settle: instrument().currency,
    limitPrice: '',
    stopPrice: '',
    timeInForce: 'day',
  })
  const receipt = shallowRef<Order | null>(null)
  const refusal = shallowRef<unknown>(null)
  const sending = ref(false)
  const chosenByHand = ref(false)

  const currencies = computed<AssetChoice[]>(() => {
    const own = held.value.filter(({ code }) => currencyByCode(code) !== undefined)
    const { currency } = instrument()
    return own.some(({ code }) => code === currency) ? own : [...own, { code: currency, name: currency }]
  })
  /** Paid from the instrument's own currency where there is some, else from the base currency. */
  watch(
    held,
    () => {
      const { currency } = instrument()
      if (chosenByHand.value || form.side === 'sell' || held.value.length === 0) return
      const own = availableOf(currency)
      const base = currentMe.value?.baseCurrency ?? currency
      form.settle =
        own !== null && !isZeroAmount(own) ? currency : availableOf(base) === null ? currency : base
    },
    { immediate: true },
  )

  const available = computed(() => availableOf(form.side === 'buy' ? form.settle : instrument().code))
  const overSold = computed(
    () =>
      form.side === 'sell' &&
      form.measure === 'shares' &&
      Boolean(form.amount) &&
      exceeds(form.amount ?? '', available.value ?? '0', scaleOf(instrument().code)),
  )
  const wish = computed(() => (overSold.value ? null : requestOf(form, instrument())))
  const { preview, error, asking } = useOrderPreview(
    { preview: previewOrder, isVisible: () => document.visibilityState === 'visible' && !sending.value },
    () => (receipt.value === null ? wish.value : null),
  )
  const ready = computed(() => preview.value !== null && wish.value !== null && !asking.value)
  // By what is wished for, not by its object: that is another with every price that comes in.
  watch(
    () => JSON.stringify(wish.value),
    () => (refusal.value = null),
  )

  function chooseSettle(code: string): void {
    chosenByHand.value = true
    form.settle = code
  }

  function chooseSide(next: Side): void {
    if (form.side === next) return
    form.side = next
    form.amount = ''
    form.measure = next === 'buy' ? 'money' : 'shares'
  }

  watch(
    () => form.measure,
    () => (form.amount = ''),
  )
  watch(
    () => form.type,
    (type) => {
      if (!allowedTimes(type).includes(form.timeInForce)) form.timeInForce = 'day'
    },
  )

  async function confirm(): Promise<void> {
    const request = wish.value
    if (!ready.value || sending.value || request === null) return
    sending.value = true
    refusal.value = null
    try {
      receipt.value = await intent.send(request, postOrder)
      tradeMoved()
    } catch (failure) {
      refusal.value = failure
    }
    sending.value = false
  }

  function again(): void {
    receipt.value = null
    form.amount = ''
  }

  return {
    form,
    currencies,
    available,
    overSold,
    preview,
    asking,
    error: computed(() => refusal.value ?? error.value),
    ready,
    sending,
    receipt,
    chooseSettle,
    chooseSide,
    confirm,
    again,
  }
}
