import { ref, shallowRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { signIn } from '#api'
import { safeNext } from './safe-next.ts'
import { becomeMe } from './session.ts'

export function useSignIn() {
  const router = useRouter()
  const route = useRoute()
  const email = ref('')
  const password = ref('')
  const error = shallowRef<unknown>(null)
  const sending = ref(false)

  async function submit(): Promise<void> {
    if (sending.value) return
    sending.value = true
    error.value = null
    try {
      becomeMe(await signIn({ email: email.value.trim(), password: password.value }))
      await router.replace(safeNext(route.query['next']))
    } catch (failure) {
      error.value = failure
    }
    sending.value = false
  }

  return { email, password, error, sending, submit }
}
