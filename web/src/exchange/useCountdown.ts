import { computed, onScopeDispose, ref } from 'vue'

/** Whole seconds until a moment, ticking while somebody looks; it is the server's clock that decides. */
export function useCountdown(expiresAt: () => string | null, now: () => number = Date.now) {
  const current = ref(now())
  const timer = setInterval(() => (current.value = now()), 250)
  onScopeDispose(() => clearInterval(timer))
  const secondsLeft = computed(() => {
    const end = expiresAt()
    return end === null ? 0 : Math.max(0, Math.ceil((Date.parse(end) - current.value) / 1000))
  })
  return { secondsLeft, reset: () => (current.value = now()) }
}
