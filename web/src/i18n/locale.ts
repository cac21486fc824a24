/** Languages of the interface, and the region whose habits its figures and dates follow. */
export const LOCALES = ['en', 'pl'] as const
export type Locale = (typeof LOCALES)[number]
export const LOCALE_TAGS: Record<Locale, string> = { en: 'en-GB', pl: 'pl-PL' }

const STORE = 'kantor.locale'

export function isLocale(value: unknown): value is Locale {
  return LOCALES.includes(value as Locale)
}

/** What was chosen on this device, else the first language of the browser that we speak, else English. */
export function initialLocale(): Locale {
  const wanted = [readStored(), ...navigator.languages.map((tag) => tag.slice(0, 2).toLowerCase())]
  return wanted.find(isLocale) ?? 'en'
}

export function storeLocale(locale: Locale): void {
  try {
    localStorage.setItem(STORE, locale)
  } catch {
    // Storage may be blocked; the profile still keeps the language.
  }
}

function readStored(): string | null {
  try {
    return localStorage.getItem(STORE)
  } catch {
    return null
  }
}
