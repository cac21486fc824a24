const HANDLE = /^[a-z][a-z0-9_]{2,23}$/

const letters = (text: string) =>
  text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().replaceAll('ł', 'l').replaceAll('ß', 'ss')

/** A handle to begin with, from a name such as `Łucja Żak` → `lucja_zak`; '' when the name gives none. */
export function suggestHandle(name: string): string {
  const words = letters(name)
    .split(/[^a-z0-9]+/u)
    .filter((word) => word !== '')
  const whole = words
    .join('_')
    .replace(/^[^a-z]+/u, '')
    .slice(0, 24)
    .replace(/_+$/u, '')
  if (HANDLE.test(whole)) return whole
  const first = words.find((word) => HANDLE.test(word))
  return first ?? ''
}

export const isHandle = (text: string) => HANDLE.test(text)
