import { onScopeDispose } from 'vue'
import { isLive } from '#live'

/**
 * Does something every few seconds while the page is looked at; a page in the background asks nothing, and asks
 * at once when it is looked at again.
 */
export function pollWhileSeen(work: () => unknown, seconds: number): void {
  pollUnless(() => false, work, seconds)
}

/** The same for what the live stream tells as well: asks only while there is none. */
export function pollUnlessLive(work: () => unknown, seconds: number): void {
  pollUnless(isLive, work, seconds)
}

function pollUnless(isTold: () => boolean, work: () => unknown, seconds: number): void {
  const timer = setInterval(() => {
    if (document.visibilityState === 'visible' && !isTold()) void work()
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
