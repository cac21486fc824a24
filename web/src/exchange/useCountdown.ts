import { computed, onScopeDispose, ref } from 'vue'

/** Whole seconds until a moment of this device's clock, ticking while somebody looks; the server decides. */
export function useCountdown(endsAtMs: () => number | null, now: () => number = Date.now) {
  const current = ref(now())
  const timer = setInterval(() => (current.value = now()), 250)
  onScopeDispose(() => clearInterval(timer))
  const secondsLeft = computed(() => {
    const end = endsAtMs()
    return end === null ? 0 : Math.max(0, Math.ceil((end - current.value) / 1000))
  })
  return { secondsLeft, reset: () => (current.value = now()) }
}
