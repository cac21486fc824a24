import { shallowRef } from 'vue'
import { useText, type MessageKey } from '#i18n'
import { showToast } from '#ui'

/** Takes one of a list back, says so, and reads the list anew, also when it was refused: it may be gone already. */
export function useRevoking(
  revokeOne: (id: string) => Promise<unknown>,
  done: MessageKey,
  read: () => unknown,
) {
  const { t } = useText()
  const failure = shallowRef<unknown>(null)

  async function revoke(id: string): Promise<void> {
    failure.value = null
    try {
      await revokeOne(id)
      showToast(t(done))
    } catch (problem) {
      failure.value = problem
    }
    await read()
  }

  return { failure, revoke }
}
