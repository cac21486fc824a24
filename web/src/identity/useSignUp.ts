import { computed, nextTick, reactive, ref, shallowRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { ApiError, signUp } from '#api'
import { useProblem, useText } from '#i18n'
import { useMeta } from '#wallets'
import { STRENGTH_MIN } from './password-strength.ts'
import { safeNext } from './safe-next.ts'
import { carryChoicesInto } from './session.ts'
import { isHandle, suggestHandle } from './suggest-handle.ts'
import { usePasswordStrength } from './usePasswordStrength.ts'

type Field = 'name' | 'handle' | 'email' | 'password'
const FIELD_OF_CODE: Record<string, Field> = {
  email_taken: 'email',
  handle_taken: 'handle',
  weak_password: 'password',
}
const FIELDS: readonly Field[] = ['name', 'handle', 'email', 'password']
const LENGTH_MIN_USUAL = 10

/** One form, checked here for what a person can see at once and by the server for everything. */
export function useSignUp() {
  const router = useRouter()
  const route = useRoute()
  const { t, locale } = useText()
  const { sentenceOf, isAbout } = useProblem()
  const { data: meta } = useMeta()
  const lengthMin = computed(() => meta.value?.passwordLengthMin ?? LENGTH_MIN_USUAL)

  const base = locale.value === 'pl' ? 'PLN' : 'EUR'
  const form = reactive({ name: '', email: '', password: '', baseCurrency: base, currencies: [base] })
  const ownHandle = ref<string | null>(null)
  /** Follows the name until somebody writes their own. */
  const handle = computed({
    get: () => ownHandle.value ?? suggestHandle(form.name),
    set: (text: string) => (ownHandle.value = text.replace(/^@/u, '').toLowerCase()),
  })
  const { strength } = usePasswordStrength(
    () => form.password,
    () => [form.email, handle.value, form.name],
  )

  const submitted = ref(false)
  const sending = ref(false)
  const failure = shallowRef<unknown>(null)

  function ownError(field: Field): string | null {
    if (!submitted.value) return null
    if (field === 'name') return form.name.trim() === '' ? t('signUp.nameMissing') : null
    if (field === 'handle') return isHandle(handle.value) ? null : t('signUp.handleShape')
    if (field === 'email') return /^\S+@\S+\.\S+$/u.test(form.email.trim()) ? null : t('signUp.emailShape')
    if ([...form.password].length < lengthMin.value) return t('signUp.passwordHint', { n: lengthMin.value })
    return strength.value !== null && strength.value < STRENGTH_MIN ? t('errors.weak_password') : null
  }

  function refusedFor(field: Field): string | null {
    const error = failure.value
    if (!(error instanceof ApiError)) return null
    if (FIELD_OF_CODE[error.code] === field) return sentenceOf(error)
    return isAbout(error, field) ? t('signUp.fieldRefused') : null
  }

  const errorOf = (field: Field) => ownError(field) ?? refusedFor(field)
  const errors = reactive({
    name: computed(() => errorOf('name')),
    handle: computed(() => errorOf('handle')),
    email: computed(() => errorOf('email')),
    password: computed(() => errorOf('password')),
  })
  const general = computed(() => (FIELDS.some((field) => refusedFor(field) !== null) ? null : failure.value))

  async function toFirstError(): Promise<void> {
    await nextTick()
    document.querySelector<HTMLElement>('form [aria-invalid="true"]')?.focus()
  }

  async function submit(): Promise<void> {
    if (sending.value) return
    submitted.value = true
    failure.value = null
    if (FIELDS.some((field) => ownError(field) !== null)) return toFirstError()
    sending.value = true
    try {
      const { name, email, password, baseCurrency, currencies } = form
      const profile = await signUp({
        name: name.trim(),
        handle: handle.value,
        email: email.trim(),
        password,
        baseCurrency,
        currencies: [...new Set([baseCurrency, ...currencies])],
      })
      await carryChoicesInto(profile)
      await router.replace(safeNext(route.query['next']))
    } catch (error) {
      failure.value = error
      await toFirstError()
    }
    sending.value = false
  }

  return { form, handle, errors, general, strength, lengthMin, sending, submit }
}
