import { computed } from 'vue'
import { createI18n } from 'vue-i18n'
import { en } from './en/index.ts'
import { initialLocale, LOCALE_TAGS, storeLocale, type Locale } from './locale.ts'
import { pl } from './pl/index.ts'
import { polishForm } from './plural.ts'

export { useProblem } from './problem.ts'
export { LOCALES, type Locale } from './locale.ts'
export { dayOf, scaleOf, useFormat } from './format.ts'

type Leaves<Tree> = {
  [Key in keyof Tree & string]: Tree[Key] extends string ? Key : `${Key}.${Leaves<Tree[Key]>}`
}[keyof Tree & string]
/** Every message by its path; a wrong one does not compile, so no screen can show a key. */
export type MessageKey = Leaves<typeof en>

export const i18n = createI18n({
  legacy: false,
  locale: initialLocale(),
  fallbackLocale: 'en',
  messages: { en, pl },
  pluralRules: { pl: polishForm },
})

const translate = i18n.global.t as (key: string, values?: Record<string, unknown>, plural?: number) => string
const locale = computed(() => i18n.global.locale.value as Locale)
const tag = computed(() => LOCALE_TAGS[locale.value])

/** The words of the interface. `n` picks the plural form when the message has several, and is `{n}` in it. */
export function t(key: MessageKey, values: { n?: number; [name: string]: unknown } = {}): string {
  return values.n === undefined ? translate(key, values) : translate(key, values, values.n)
}

export function useText() {
  return { t, locale, tag }
}

export function setLocale(next: Locale): void {
  i18n.global.locale.value = next
  document.documentElement.lang = next
  storeLocale(next)
}
