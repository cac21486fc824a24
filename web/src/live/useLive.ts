import { onScopeDispose, watch } from 'vue'
import { getMe } from '#api'
import { createConnection } from './connection.ts'
import { screen, setLiveState, tellListeners } from './live.ts'
import { usePatches } from './use-patches.ts'

/**
 * A tab that nobody has looked at for so long is told nothing until somebody does: over HTTP/1.1 a browser has six
 * connections to a server for all its tabs.
 */
const HIDDEN_SECONDS_MAX = 30

/** Holds this tab's one stream while somebody is signed in; called once, for the whole app. */
export function useLive(wanted: () => boolean): void {
  usePatches()
  const connection = createConnection({
    open: (address) => new EventSource(address),
    told: tellListeners,
    changed: (state) => {
      setLiveState(state)
      // Whether it is the session that has ended is not said to an `EventSource`; a request hears it, and leaves.
      if (state === 'down') getMe().catch(() => {})
    },
    random: Math.random,
  })
  let hidden: ReturnType<typeof setTimeout> | undefined

  const follow = () => {
    clearTimeout(hidden)
    if (!wanted()) connection.stop()
    else if (document.visibilityState === 'visible') connection.start()
    else hidden = setTimeout(connection.stop, HIDDEN_SECONDS_MAX * 1000)
  }
  watch(wanted, follow, { immediate: true })
  watch(screen, connection.show, { immediate: true })
  document.addEventListener('visibilitychange', follow)
  window.addEventListener('online', connection.retryNow)
  onScopeDispose(() => {
    clearTimeout(hidden)
    connection.stop()
    document.removeEventListener('visibilitychange', follow)
    window.removeEventListener('online', connection.retryNow)
  })
}
