import type { Notice } from '@kantor/contract/api'
import type { RouteLocationRaw } from 'vue-router'
import { useFormat, useText } from '#i18n'

const SIGNED = { sign: 'exceptZero' } as const

/** A notice in a sentence, and where it leads. */
export function useNoticeWords() {
  const { t } = useText()
  const { decimal, roundedRate, money, price } = useFormat()

  function sentenceOf({ kind, detail }: Notice): string {
    switch (kind) {
      case 'money_received': {
        const amount = money(detail.amount, detail.asset)
        return detail.from === null
          ? t('notices.received', { amount })
          : t('notices.receivedFrom', { amount, from: `@${detail.from.handle}` })
      }
      case 'order_filled':
        return t(detail.side === 'buy' ? 'notices.bought' : 'notices.sold', {
          amount: money(detail.quantity, detail.instrument),
          price: `${price(detail.price)} ${detail.priceCurrency}`,
        })
      case 'order_ended':
        return t('notices.orderEnded', { instrument: detail.instrument })
      case 'dividend':
        return t('notices.dividend', {
          instrument: detail.instrument,
          amount: money(detail.amount, detail.asset),
        })
      case 'corporate_action':
        return t('notices.split', {
          instrument: detail.instrument,
          from: decimal(detail.from),
          to: decimal(detail.to),
        })
      case 'price_alert':
        return t(detail.direction === 'above' ? 'notices.above' : 'notices.below', {
          subject: detail.subject,
          amount: `${decimal(detail.threshold)} ${detail.currency}`,
          price: roundedRate(detail.price),
        })
      case 'rule_executed':
        return t('notices.ruleExecuted', {
          rule: t(`noticeRules.${detail.ruleKind}`),
          amounts: detail.amounts.map(({ asset, amount }) => money(amount, asset, SIGNED)).join(', '),
        })
      case 'rule_failed':
        return t(detail.ended ? 'notices.ruleEnded' : 'notices.ruleFailed', {
          rule: t(`noticeRules.${detail.ruleKind}`),
        })
      case 'signed_in':
        return t('notices.signedIn', { ip: detail.ip })
      case 'webhook_disabled':
        return t('notices.webhookDisabled', { host: hostOf(detail.url) })
    }
  }
  return { sentenceOf, placeOf }
}

export const hostOf = (url: string): string => URL.parse(url)?.host ?? url

function placeOf({ kind, detail }: Notice): RouteLocationRaw {
  switch (kind) {
    case 'money_received':
    case 'dividend':
    case 'corporate_action':
    case 'rule_executed':
    case 'order_filled':
      return { name: 'history', query: { operation: detail.operationId } }
    case 'order_ended':
      return { name: 'orders' }
    case 'price_alert':
      return detail.subject.includes('/')
        ? { name: 'planned' }
        : { name: 'instrument', params: { ref: detail.subject } }
    case 'rule_failed':
      return { name: 'planned' }
    case 'signed_in':
      return { name: 'settings' }
    case 'webhook_disabled':
      return { name: 'webhooks' }
  }
}
