import { onScopeDispose, ref, shallowRef, watch } from 'vue'

const TYPING_PAUSE_MS = 150

export type SearchState = 'idle' | 'loading' | 'done' | 'failed'
type Search<Found> = (q: string, signal: AbortSignal) => Promise<{ items: Found[] }>

/**
 * Looks for what is being typed, once it says enough to be looked for, in the server's order; an overtaken answer is
 * dropped.
 */
export function useTypedSearch<Found>(
  search: Search<Found>,
  saysEnough: (wanted: string) => boolean = (wanted) => wanted !== '',
) {
  const q = ref('')
  const found = shallowRef<Found[]>([])
  const state = ref<SearchState>('idle')
  const error = shallowRef<unknown>(null)
  let pause: ReturnType<typeof setTimeout> | undefined
  let inFlight: AbortController | undefined

  async function look(wanted: string): Promise<void> {
    const controller = (inFlight = new AbortController())
    try {
      const { items } = await search(wanted, controller.signal)
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

  function start(): void {
    stop()
    const wanted = q.value.trim()
    if (!saysEnough(wanted)) {
      found.value = []
      state.value = 'idle'
      return
    }
    state.value = 'loading'
    pause = setTimeout(() => void look(wanted), TYPING_PAUSE_MS)
  }

  watch(q, start)
  onScopeDispose(stop)

  return { q, found, state, error, retry: start }
}
