import type { OrderPreview, OrderRequest } from '@kantor/contract/api'
import { onScopeDispose, ref, shallowRef, watch } from 'vue'

const TYPING_PAUSE_MS = 300
const RENEW_SECONDS = 8

export interface PreviewDeps {
  preview: (body: OrderRequest, signal: AbortSignal) => Promise<OrderPreview>
  isVisible: () => boolean
}

/**
 * What the order would cost at the present price, said while it is filled in and renewed while it is looked at.
 * The last preview stays, marked as being asked anew, until the next one is there: nothing jumps.
 */
export function useOrderPreview(deps: PreviewDeps, wish: () => OrderRequest | null) {
  const preview = shallowRef<OrderPreview | null>(null)
  const error = shallowRef<unknown>(null)
  const asking = ref(false)
  let pause: ReturnType<typeof setTimeout> | undefined
  let inFlight: AbortController | undefined

  async function ask(request: OrderRequest): Promise<void> {
    const controller = (inFlight = new AbortController())
    try {
      const answer = await deps.preview(request, controller.signal)
      if (controller.signal.aborted) return
      preview.value = answer
      error.value = null
    } catch (failure) {
      if (controller.signal.aborted) return
      preview.value = null
      error.value = failure
    }
    asking.value = false
  }

  function stop(): void {
    clearTimeout(pause)
    inFlight?.abort()
    asking.value = false
  }

  watch(
    () => JSON.stringify(wish()),
    () => {
      stop()
      error.value = null
      const request = wish()
      if (request === null) {
        preview.value = null
        return
      }
      asking.value = true
      pause = setTimeout(() => void ask(request), TYPING_PAUSE_MS)
    },
    { immediate: true },
  )
  const renewal = setInterval(() => {
    const request = wish()
    if (request !== null && !asking.value && deps.isVisible()) void ask(request)
  }, RENEW_SECONDS * 1000)
  onScopeDispose(() => {
    stop()
    clearInterval(renewal)
  })

  return { preview, error, asking }
}
