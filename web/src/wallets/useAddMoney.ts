import type { Deposit, DepositRequest } from '@kantor/contract/api'
import { ref, shallowRef } from 'vue'
import { createIntent, postDeposit } from '#api'
import { useMoneyMoved } from './queries.ts'

/** Paper money into the wallet, once per intent. */
export function useAddMoney() {
  const intent = createIntent<DepositRequest>()
  const moneyMoved = useMoneyMoved()
  const error = shallowRef<unknown>(null)
  const sending = ref(false)

  async function add(request: DepositRequest): Promise<Deposit | null> {
    if (sending.value) return null
    sending.value = true
    error.value = null
    try {
      const deposit = await intent.send(request, postDeposit)
      moneyMoved()
      return deposit
    } catch (failure) {
      error.value = failure
      return null
    } finally {
      sending.value = false
    }
  }

  return { add, error, sending }
}
