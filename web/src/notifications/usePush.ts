import { computed, ref } from 'vue'
import { subscribeToPush, unsubscribeFromPush } from '#api'

const WORKER = '/push-worker.js'
const PUSH_SERVICE_SECONDS_MAX = 20

/**
 * Of one browser: `unable` cannot be pushed to, `blocked` was told by its user not to let itself be, `failed` asked its
 * maker's push service in vain.
 */
type PushState = 'unknown' | 'unable' | 'blocked' | 'off' | 'failed' | 'on'

declare global {
  // Of some browsers; not in TypeScript's library yet. What a policy makes is taken wherever a text would be.
  var trustedTypes:
    | undefined
    | {
        createPolicy(
          name: string,
          rules: { createScriptURL(address: string): string },
        ): { createScriptURL(address: string): string }
      }
}

// Our own pages take a script's address only from here (require-trusted-types-for).
const scripts = globalThis.trustedTypes?.createPolicy('kantor-push', {
  createScriptURL: (address) => {
    if (address === WORKER) return address
    throw new TypeError('not the push worker')
  },
})

export function usePush() {
  const state = ref<PushState>('unknown')
  const able = 'serviceWorker' in navigator && 'PushManager' in globalThis && 'Notification' in globalThis

  async function look(): Promise<void> {
    if (!able) state.value = 'unable'
    else if (Notification.permission === 'denied') state.value = 'blocked'
    else state.value = (await subscription()) === null ? 'off' : 'on'
  }

  /** Throws what the server refuses; that the user does not allow it, or the browser cannot, is a state. */
  async function turnOn(publicKey: string): Promise<void> {
    if ((await Notification.requestPermission()) !== 'granted') return look()
    const address = scripts?.createScriptURL(WORKER) ?? WORKER
    await navigator.serviceWorker.register(address)
    const { pushManager } = await navigator.serviceWorker.ready
    const made = await askPushService(pushManager, publicKey)
    if (made === null) {
      state.value = 'failed'
      return
    }
    const { endpoint, keys } = made.toJSON()
    await subscribeToPush({
      endpoint: endpoint ?? '',
      keys: { p256dh: keys?.['p256dh'] ?? '', auth: keys?.['auth'] ?? '' },
    })
    await look()
  }

  async function turnOff(): Promise<void> {
    const found = await subscription()
    if (found !== null) {
      await unsubscribeFromPush(found.endpoint)
      await found.unsubscribe()
    }
    await look()
  }

  void look()
  return { state, isOn: computed(() => state.value === 'on'), turnOn, turnOff }
}

/**
 * Null when the push service of the browser's maker refuses, or is silent: where it cannot be reached, Chromium waits for it
 * without an end. A subscription that comes too late is given back, since the page has said that there is none.
 */
async function askPushService(pushManager: PushManager, publicKey: string): Promise<PushSubscription | null> {
  let isLate = false
  const answer = pushManager
    .subscribe({ userVisibleOnly: true, applicationServerKey: publicKey })
    .then(async (made) => {
      if (isLate) await made.unsubscribe()
      return made
    })
    .catch((problem: unknown) => {
      // What the browser says of its push service is a DOMException; a mistake of ours would be none.
      if (problem instanceof DOMException) return null
      throw problem
    })
  const silence = new Promise<null>((resolve) => {
    setTimeout(() => {
      isLate = true
      resolve(null)
    }, PUSH_SERVICE_SECONDS_MAX * 1000)
  })
  return Promise.race([answer, silence])
}

async function subscription(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration(WORKER)
  return (await registration?.pushManager.getSubscription()) ?? null
}
