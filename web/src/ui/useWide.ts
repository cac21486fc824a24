import { onScopeDispose, readonly, ref } from 'vue'

/** True from 900 px, where there is room for a list and its detail side by side. */
export function useWide() {
  const media = matchMedia('(min-width: 900px)')
  const wide = ref(media.matches)
  const follow = () => (wide.value = media.matches)
  media.addEventListener('change', follow)
  onScopeDispose(() => media.removeEventListener('change', follow))
  return readonly(wide)
}
