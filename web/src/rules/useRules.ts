import { useQueryCache } from '@pinia/colada'
import { computed, ref } from 'vue'
import { changeRule, endRule, listRules, type RuleKind, type RuleKinds } from '#api'
import { useProblem, useText } from '#i18n'
import { showToast, usePages } from '#ui'
import { RULES_KEY } from './usePlan.ts'
import { useRuleWords, type AnyRule } from './useRuleWords.ts'

const PAGE_SIZE = 30

/** Rules of one kind and what their owner does with each of them. */
export function useRules(of: () => { kind: RuleKind; status: 'open' | 'ended' }) {
  const { t } = useText()
  const { sentenceOf } = useProblem()
  const { titleOf } = useRuleWords()
  const cache = useQueryCache()
  const working = ref<string | null>(null)
  const { list, items } = usePages<RuleKinds[RuleKind]['rule']>(
    () => [RULES_KEY, of().kind, of().status],
    (from) => listRules(of().kind, { status: of().status, limit: PAGE_SIZE, ...from }),
  )
  // The list was asked for by its kind, so its rules are of it.
  const rules = computed(() => items.value.map((rule) => ({ kind: of().kind, rule }) as AnyRule))

  async function act(any: AnyRule, what: () => Promise<unknown>, said: string): Promise<void> {
    if (working.value !== null) return
    working.value = any.rule.id
    try {
      await what()
      showToast(said)
    } catch (failure) {
      showToast(sentenceOf(failure), 'failed')
    }
    working.value = null
    await cache.invalidateQueries({ key: [RULES_KEY] })
  }
  const end = (any: AnyRule) =>
    act(any, () => endRule(any.kind, any.rule.id), t('rules.ended1', { name: titleOf(any) }))
  function toggle(any: AnyRule): Promise<void> {
    const status = any.rule.status === 'paused' ? 'active' : 'paused'
    const said = t(status === 'paused' ? 'rules.paused1' : 'rules.resumed1', { name: titleOf(any) })
    return act(any, () => changeRule(any.kind, any.rule.id, { status }), said)
  }

  return { list, rules, working, end, toggle }
}
