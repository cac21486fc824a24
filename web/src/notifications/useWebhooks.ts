import type { Webhook } from '@kantor/contract/api'
import { useQuery, useQueryCache } from '@pinia/colada'
import { nextTick, onScopeDispose, ref } from 'vue'
import {
  deleteWebhook,
  listWebhooks,
  replayWebhook,
  rotateWebhookSecret,
  testWebhook,
  updateWebhook,
  verifyWebhook,
} from '#api'
import { useProblem, useText } from '#i18n'
import { showToast } from '#ui'

/** Long enough to see what came of a message that was just queued, and no longer. */
const FOLLOW_TIMES = 8
const FOLLOW_SECONDS = 1.5

/** The webhooks and what can be done to one; after each act the page looks a few times for what came of it. */
export function useWebhooks() {
  const cache = useQueryCache()
  const query = useQuery({ key: ['webhooks', 'list'], query: listWebhooks })
  const { t } = useText()
  const { sentenceOf } = useProblem()
  const busy = ref<string | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  onScopeDispose(() => clearTimeout(timer))

  /** The list first: what was sent to a webhook that has gone is asked for no more once its card has gone too. */
  async function look(): Promise<void> {
    await cache.invalidateQueries({ key: ['webhooks', 'list'] })
    await nextTick()
    await cache.invalidateQueries({ key: ['webhooks', 'deliveries'] })
  }

  function follow(times = FOLLOW_TIMES): void {
    clearTimeout(timer)
    // What fails is drawn by the query that failed.
    look().catch(() => undefined)
    if (times > 0) timer = setTimeout(() => follow(times - 1), FOLLOW_SECONDS * 1000)
  }

  // A receiver may be answering its challenge just now.
  follow()

  async function act<Result>(id: string, work: () => Promise<Result>, said: string): Promise<Result | null> {
    if (busy.value !== null) return null
    busy.value = id
    clearTimeout(timer)
    try {
      const result = await work()
      if (said !== '') showToast(said)
      return result
    } catch (failure) {
      showToast(sentenceOf(failure), 'failed')
      return null
    } finally {
      busy.value = null
      follow()
    }
  }

  return {
    query,
    busy,
    follow,
    test: ({ id }: Webhook) => act(id, () => testWebhook(id), t('webhooks.testQueued')),
    verify: ({ id }: Webhook) => act(id, () => verifyWebhook(id), t('webhooks.challengeQueued')),
    rotate: ({ id }: Webhook) => act(id, () => rotateWebhookSecret(id), ''),
    switchTo: ({ id }: Webhook, enabled: boolean) =>
      act(id, () => updateWebhook(id, { enabled }), t(enabled ? 'webhooks.isOn' : 'webhooks.isOff')),
    remove: ({ id }: Webhook) => act(id, () => deleteWebhook(id), t('webhooks.deleted')),
    sendAgain: (id: string, delivery: string) =>
      act(id, () => replayWebhook(id, { delivery }), t('webhooks.againQueued')),
    sendSince: async (id: string, from: Date) => {
      const replayed = await act(id, () => replayWebhook(id, { from: from.toISOString() }), '')
      if (replayed !== null) showToast(t('webhooks.sinceQueued', { n: replayed.queued }))
    },
  }
}
export type Webhooks = ReturnType<typeof useWebhooks>
