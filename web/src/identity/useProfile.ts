import type { UpdateMeRequest } from '@kantor/contract/api'
import { ref, shallowRef } from 'vue'
import { updateMe } from '#api'
import { useText } from '#i18n'
import { showToast } from '#ui'
import { becomeMe } from './session.ts'

/** Saves one change of the profile; what is shown follows only what the server has kept. */
export function useProfile() {
  const { t } = useText()
  const error = shallowRef<unknown>(null)
  const saving = ref(false)

  async function save(change: UpdateMeRequest): Promise<boolean> {
    saving.value = true
    error.value = null
    try {
      becomeMe(await updateMe(change))
      showToast(t('settings.saved'))
      return true
    } catch (failure) {
      error.value = failure
      return false
    } finally {
      saving.value = false
    }
  }

  return { save, error, saving }
}
