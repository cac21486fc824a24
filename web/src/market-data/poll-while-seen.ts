import { onScopeDispose } from 'vue'

/**
 * Does something every few seconds while the page is looked at; a page in the background asks nothing, and asks
 * at once when it is looked at again.
 */
export function pollWhileSeen(work: () => unknown, seconds: number): void {
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible') void work()
  }, seconds * 1000)
  const seen = () => {
    if (document.visibilityState === 'visible') void work()
  }
  document.addEventListener('visibilitychange', seen)
  onScopeDispose(() => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', seen)
  })
}
