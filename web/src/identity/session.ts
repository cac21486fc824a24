import type { Me } from '@kantor/contract/api'
import { readonly, ref } from 'vue'
import { ApiError, getMe, onSignedOut, signOut, updateMe } from '#api'
import { setLocale, useText, type Locale } from '#i18n'
import { setTheme, theme } from '#ui'
import { endPush } from './end-push.ts'

const me = ref<Me | null>(null)
let known = false

/** Who is signed in on this device; null when nobody is, or not yet asked. */
export const currentMe = readonly(me)

/** Called with every newer version of the profile: its language and theme become the page's. */
export function becomeMe(next: Me): void {
  me.value = next
  known = true
  setLocale(next.locale)
  setTheme(next.theme)
}

/** Asks the server once per page load. Any other failure than "nobody" is thrown, for a page to draw. */
export async function whoIsIn(): Promise<Me | null> {
  if (known) return me.value
  try {
    becomeMe(await getMe())
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'not_authenticated') throw error
    known = true
    endPush().catch((failed: unknown) => console.warn('push could not be ended', failed))
  }
  return me.value
}

/** What was chosen before there was a profile to keep it in goes into the new one. */
export async function carryChoicesInto(profile: Me): Promise<void> {
  const { locale } = useText()
  const chosen = { locale: locale.value satisfies Locale, theme: theme.value }
  if (profile.locale === chosen.locale && profile.theme === chosen.theme) return becomeMe(profile)
  becomeMe(await updateMe(chosen).catch(() => profile))
}

/** The page is loaded afresh, so that nothing of one customer is left in memory for the next. */
function leave(to: string): void {
  me.value = null
  location.assign(to)
}

export async function endSession(): Promise<void> {
  await signOut()
  leave('/sign-in')
}

onSignedOut(() => {
  if (me.value !== null) leave(`/sign-in?${new URLSearchParams({ next: location.pathname, ended: '1' })}`)
})
