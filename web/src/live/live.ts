import type { StreamEventData, StreamEventName } from '@kantor/contract/api'
import { computed, onScopeDispose, readonly, ref, shallowReactive, watch } from 'vue'
import type { LiveState, Screen, Told } from './connection.ts'

const state = ref<LiveState>('off')

/** Whether what is on screen changes by itself. */
export const liveState = readonly(state)
export const setLiveState = (next: LiveState) => void (state.value = next)
export const isLive = () => state.value === 'live'

const listeners: { [Name in StreamEventName]: Set<(data: StreamEventData<Name>) => void> } = {
  hello: new Set(),
  reset: new Set(),
  operation: new Set(),
  balances: new Set(),
  order: new Set(),
  price: new Set(),
  rate: new Set(),
  notice: new Set(),
}

/** Until the component or composable that asks is gone. */
export function onLive<Name extends StreamEventName>(
  name: Name,
  listener: (data: StreamEventData<Name>) => void,
): void {
  const all: Set<(data: StreamEventData<Name>) => void> = listeners[name]
  all.add(listener)
  onScopeDispose(() => all.delete(listener))
}

export const tellListeners: Told = (name, data) => {
  for (const listener of listeners[name]) listener(data)
}

const screens = shallowReactive(new Map<symbol, Screen>())

/** All that any part of the page shows. */
export const screen = computed<Screen>(() => {
  const parts = [...screens.values()]
  return {
    instruments: parts.flatMap(({ instruments }) => instruments),
    pairs: parts.flatMap(({ pairs }) => pairs),
  }
})

/** Has the prices and rates of what a part of the page shows followed, while it is there. */
export function useOnScreen(shown: () => Partial<Screen>): void {
  const part = Symbol('part of the page')
  watch(
    () => JSON.stringify({ instruments: [], pairs: [], ...shown() } satisfies Screen),
    (text) => void screens.set(part, JSON.parse(text) as Screen),
    { immediate: true },
  )
  onScopeDispose(() => screens.delete(part))
}
