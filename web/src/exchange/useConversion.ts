import type { Conversion, ConversionQuote } from '@kantor/contract/api'
import { ref, shallowRef } from 'vue'
import { createIntent, postConversion } from '#api'
import { useMoneyMoved } from '#wallets'

/** Takes one quote, once, however often the button is pressed or the line breaks. */
export function useConversion() {
  const intent = createIntent<{ quoteId: string }>()
  const moneyMoved = useMoneyMoved()
  const receipt = shallowRef<Conversion | null>(null)
  const error = shallowRef<unknown>(null)
  const sending = ref(false)

  async function confirm(quote: ConversionQuote): Promise<void> {
    if (sending.value) return
    sending.value = true
    error.value = null
    try {
      receipt.value = await intent.send({ quoteId: quote.id }, postConversion)
      moneyMoved()
    } catch (failure) {
      error.value = failure
    }
    sending.value = false
  }

  return { receipt, error, sending, confirm }
}
