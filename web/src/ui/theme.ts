import { ref, watchEffect } from 'vue'

export type Theme = 'light' | 'dark' | 'system'

const STORE = 'kantor.theme'
const system = matchMedia('(prefers-color-scheme: dark)')
const systemDark = ref(system.matches)
system.addEventListener('change', (event) => (systemDark.value = event.matches))

function stored(): Theme {
  try {
    const value = localStorage.getItem(STORE)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system'
  }
}

/** The choice of this device. public/theme.js has applied it before the first paint; this follows changes. */
export const theme = ref<Theme>(stored())

watchEffect(() => {
  const dark = theme.value === 'dark' || (theme.value === 'system' && systemDark.value)
  document.documentElement.dataset['theme'] = dark ? 'dark' : 'light'
  // The bars of the phone around the page take the ground's colour.
  const ground = getComputedStyle(document.documentElement).getPropertyValue('--ground')
  for (const meta of document.querySelectorAll('meta[name="theme-color"]')) {
    if (ground !== '') meta.setAttribute('content', ground)
  }
})

export function setTheme(next: Theme): void {
  theme.value = next
  try {
    localStorage.setItem(STORE, next)
  } catch {
    // Storage may be blocked; the profile still keeps the theme.
  }
}
