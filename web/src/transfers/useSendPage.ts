import type { Payee, Transfer, TransferRequest } from '@kantor/contract/api'
import { computed, ref, shallowRef, watch } from 'vue'
import { useRoute } from 'vue-router'
import { createIntent, postTransfer } from '#api'
import { scaleOf } from '#i18n'
import { currentMe } from '#identity'
import { exceeds, isZeroAmount } from '#ui'
import { useAssetChoices, useMoneyMoved } from '#wallets'

const text = (value: unknown) => (typeof value === 'string' ? value : '')

/** What the Send page does: payee, amount, one confirmation; the same transfer is never sent twice. */
export function useSendPage() {
  const route = useRoute()
  const moneyMoved = useMoneyMoved()
  const { held, availableOf } = useAssetChoices()
  const intent = createIntent<TransferRequest>()

  const payee = shallowRef<Payee | null>(null)
  const asset = ref(text(route.query['asset']) || (currentMe.value?.baseCurrency ?? 'EUR'))
  const amount = ref<string | null>(text(route.query['amount']))
  const note = ref('')
  const receipt = shallowRef<Transfer | null>(null)
  const error = shallowRef<unknown>(null)
  const sending = ref(false)
  const chosenByHand = ref(route.query['asset'] !== undefined)

  /** The base currency, unless there is none of it: then the first asset that there is some of. */
  watch(
    held,
    (choices) => {
      if (chosenByHand.value || choices.length === 0) return
      const own = choices.find((choice) => choice.code === asset.value)
      if (own?.available !== undefined && !isZeroAmount(own.available)) return
      asset.value =
        choices.find((choice) => choice.available && !isZeroAmount(choice.available))?.code ?? asset.value
    },
    { immediate: true },
  )

  function chooseAsset(code: string): void {
    chosenByHand.value = true
    asset.value = code
  }

  const available = computed(() => availableOf(asset.value))
  const tooMuch = computed(
    () => Boolean(amount.value) && exceeds(amount.value ?? '', available.value ?? '0', scaleOf(asset.value)),
  )
  const ready = computed(
    () =>
      payee.value !== null && Boolean(amount.value) && !isZeroAmount(amount.value ?? '') && !tooMuch.value,
  )
  watch([payee, asset, amount, note], () => (error.value = null))

  async function send(): Promise<void> {
    const to = payee.value
    if (!ready.value || sending.value || to === null || !amount.value) return
    sending.value = true
    error.value = null
    try {
      const request = { to: `@${to.handle}`, asset: asset.value, amount: amount.value }
      const said = note.value.trim()
      receipt.value = await intent.send(said === '' ? request : { ...request, note: said }, postTransfer)
      moneyMoved()
    } catch (failure) {
      error.value = failure
    }
    sending.value = false
  }

  function again(): void {
    receipt.value = null
    payee.value = null
    amount.value = ''
    note.value = ''
  }

  const startQuery = text(route.query['to'])
  return {
    payee,
    asset,
    chooseAsset,
    amount,
    note,
    held,
    available,
    tooMuch,
    ready,
    receipt,
    error,
    sending,
    send,
    again,
    startQuery,
  }
}

export type SendPageModel = ReturnType<typeof useSendPage>
