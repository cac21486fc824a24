export { default as LiveMark } from './LiveMark.vue'
export { isLive, onLive, useOnScreen } from './live.ts'
export { useLive } from './useLive.ts'
