import { onScopeDispose, shallowRef, watch } from 'vue'
import { useText } from '#i18n'
import { judgePassword, type Strength } from './password-strength.ts'

const TYPING_PAUSE_MS = 150

/** Follows what is typed. While the judge is unreachable it stays silent: the server judges in any case. */
export function usePasswordStrength(
  password: () => string,
  about: () => readonly string[],
  judge: typeof judgePassword = judgePassword,
) {
  const { locale } = useText()
  const strength = shallowRef<Strength | null>(null)
  let pause: ReturnType<typeof setTimeout> | undefined
  watch([password, about], ([typed]) => {
    clearTimeout(pause)
    if (typed === '') {
      strength.value = null
      return
    }
    pause = setTimeout(() => {
      judge(typed, about(), locale.value).then(
        (score) => {
          if (password() === typed) strength.value = score
        },
        () => (strength.value = null),
      )
    }, TYPING_PAUSE_MS)
  })
  onScopeDispose(() => clearTimeout(pause))
  return { strength }
}
