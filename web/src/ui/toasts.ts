import { readonly, ref } from 'vue'

export interface Toast {
  id: number
  text: string
  tone: 'done' | 'failed'
}

const SHOWN_SECONDS = 6
const SHOWN_MAX = 3
const shown = ref<Toast[]>([])
let last = 0

export const toasts = readonly(shown)

export function dismissToast(id: number): void {
  shown.value = shown.value.filter((toast) => toast.id !== id)
}

/** For what happened away from where the eye is. A form's own errors stay beside the form. */
export function showToast(text: string, tone: Toast['tone'] = 'done'): void {
  const id = ++last
  shown.value = [...shown.value, { id, text, tone }].slice(-SHOWN_MAX)
  setTimeout(() => dismissToast(id), SHOWN_SECONDS * 1000)
}
