import type { Payee } from '@kantor/contract/api'
import { onScopeDispose, ref, shallowRef, watch } from 'vue'

const TYPING_PAUSE_MS = 250
const CHARS_MIN = 2

export type SearchState = 'idle' | 'loading' | 'done' | 'failed'

/** Looks a payee up by handle or e-mail while it is typed; an overtaken answer is dropped. */
export function usePayeeSearch(find: (q: string, signal: AbortSignal) => Promise<{ items: Payee[] }>) {
  const q = ref('')
  const found = shallowRef<Payee[]>([])
  const state = ref<SearchState>('idle')
  const error = shallowRef<unknown>(null)
  let pause: ReturnType<typeof setTimeout> | undefined
  let inFlight: AbortController | undefined

  async function search(wanted: string): Promise<void> {
    const controller = (inFlight = new AbortController())
    try {
      const { items } = await find(wanted, controller.signal)
      if (controller.signal.aborted) return
      found.value = items
      state.value = 'done'
    } catch (failure) {
      if (controller.signal.aborted) return
      error.value = failure
      state.value = 'failed'
    }
  }

  function stop(): void {
    clearTimeout(pause)
    inFlight?.abort()
  }

  watch(q, (typed) => {
    stop()
    const wanted = typed.trim()
    if (wanted.replace(/^@/u, '').length < CHARS_MIN) {
      found.value = []
      state.value = 'idle'
      return
    }
    state.value = 'loading'
    pause = setTimeout(() => void search(wanted), TYPING_PAUSE_MS)
  })
  onScopeDispose(stop)

  return { q, found, state, error }
}
