import { useQueryCache } from '@pinia/colada'
import type { DryRun } from '@kantor/contract/api'
import { ref, shallowRef } from 'vue'
import { createIntent, dryRunRule, postRule, type RuleKind, type RuleKinds } from '#api'
import { useText } from '#i18n'
import { showToast } from '#ui'

export const RULES_KEY = 'rules'

/** Makes one rule, once, however often the button is pressed; or says what it would have done. */
export function usePlan<Kind extends RuleKind>(onMade: () => void) {
  const { t } = useText()
  const cache = useQueryCache()
  const intent = createIntent<{ kind: Kind; request: RuleKinds[Kind]['request'] }>()
  const error = shallowRef<unknown>(null)
  const sending = ref(false)
  const trying = ref(false)
  const tried = shallowRef<DryRun | null>(null)

  async function make(kind: Kind, request: RuleKinds[Kind]['request'], said = t('plan.done')): Promise<void> {
    if (sending.value) return
    sending.value = true
    error.value = null
    try {
      await intent.send({ kind, request }, (body, key) => postRule(body.kind, body.request, key))
      showToast(said)
      onMade()
      await cache.invalidateQueries({ key: [RULES_KEY] })
    } catch (failure) {
      error.value = failure
    }
    sending.value = false
  }

  async function tryOut(kind: Kind, request: RuleKinds[Kind]['request']): Promise<void> {
    if (trying.value) return
    trying.value = true
    error.value = null
    tried.value = null
    try {
      tried.value = await dryRunRule(kind, request)
    } catch (failure) {
      error.value = failure
    }
    trying.value = false
  }

  return { make, tryOut, error, sending, trying, tried }
}
