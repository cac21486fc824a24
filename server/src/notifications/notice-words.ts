import type { Me, NoticeContent } from '@kantor/contract/api'

type Locale = Me['locale']
type Rule = Extract<NoticeContent, { kind: 'rule_executed' }>['detail']['ruleKind']

/** A notice in words, as mail and push say it; pages have their own. */
export interface NoticeWords {
  readonly title: string
  readonly text: string
  /** Where to read on, below the app's address. */
  readonly path: string
}

export function noticeWords(locale: Locale, content: NoticeContent): NoticeWords {
  const [title, text] = locale === 'pl' ? inPolish(content) : inEnglish(content)
  return { title, text, path: PATHS[content.kind] }
}

const PATHS: Readonly<Record<NoticeContent['kind'], string>> = {
  money_received: '/history',
  order_filled: '/stocks/orders',
  order_ended: '/stocks/orders',
  dividend: '/history',
  corporate_action: '/history',
  price_alert: '/notices',
  rule_executed: '/history',
  rule_failed: '/notices',
  signed_in: '/settings',
  webhook_disabled: '/settings/webhooks',
}

const plain = (amount: string) => (amount.includes('.') ? amount.replace(/\.?0+$/, '') : amount)
const comma = (amount: string) => amount.replace('.', ',')

const RULES_EN: Readonly<Record<Rule, string>> = {
  limitConversion: 'limit conversion',
  recurringConversion: 'recurring conversion',
  standingOrder: 'standing order',
}

function inEnglish({ kind, detail }: NoticeContent): [title: string, text: string] {
  switch (kind) {
    case 'money_received': {
      const note = detail.note === null ? '' : ` Note: ${detail.note}`
      const from = detail.from === null ? '' : ` from @${detail.from.handle}`
      return ['Money received', `You received ${detail.amount} ${detail.asset}${from}.${note}`]
    }
    case 'order_filled':
      return [
        'Order filled',
        `${detail.side === 'buy' ? 'Bought' : 'Sold'} ${plain(detail.quantity)} ${detail.instrument} at ${detail.price} ${detail.priceCurrency}.`,
      ]
    case 'order_ended':
      return [
        'Order ended',
        `Your order to ${detail.side} ${detail.instrument} ended without being filled in full. What was set aside is available again.`,
      ]
    case 'dividend':
      return ['Dividend', `${detail.instrument} paid you ${detail.amount} ${detail.asset}.`]
    case 'corporate_action':
      return ['Split', `${detail.instrument}: ${detail.to} for ${detail.from} from ${detail.exDate} on.`]
    case 'price_alert':
      return [
        'Price alert',
        `${detail.subject} is ${detail.direction} ${detail.threshold} ${detail.currency}: ${detail.price}.`,
      ]
    case 'rule_executed':
      return ['Done as you asked', `Your ${RULES_EN[detail.ruleKind]} was carried out.`]
    case 'rule_failed':
      return [
        'Could not be carried out',
        `Your ${RULES_EN[detail.ruleKind]} could not be carried out (${detail.code}).${detail.ended ? ' It will not be tried again.' : ''}`,
      ]
    case 'signed_in':
      return [
        'New sign-in',
        `Somebody signed in to your account from a browser that is new to it (${detail.ip}). If that was not you, end the session in Settings and change your password.`,
      ]
    case 'webhook_disabled':
      return [
        'Webhook switched off',
        `Nothing is sent to ${detail.url} any more: ${detail.reason === 'gone' ? 'it answered that it has gone' : 'every attempt failed for three days'}.`,
      ]
  }
}

const RULES_PL: Readonly<Record<Rule, string>> = {
  limitConversion: 'wymiana z limitem',
  recurringConversion: 'wymiana cykliczna',
  standingOrder: 'zlecenie stałe',
}

function inPolish({ kind, detail }: NoticeContent): [title: string, text: string] {
  switch (kind) {
    case 'money_received': {
      const note = detail.note === null ? '' : ` Notatka: ${detail.note}`
      const from = detail.from === null ? '' : ` od @${detail.from.handle}`
      return ['Wpływ', `Otrzymujesz ${comma(detail.amount)} ${detail.asset}${from}.${note}`]
    }
    case 'order_filled':
      return [
        'Zlecenie zrealizowane',
        `${detail.side === 'buy' ? 'Kupno' : 'Sprzedaż'}: ${comma(plain(detail.quantity))} ${detail.instrument} po ${comma(detail.price)} ${detail.priceCurrency}.`,
      ]
    case 'order_ended':
      return [
        'Zlecenie zakończone',
        `Zlecenie ${detail.side === 'buy' ? 'kupna' : 'sprzedaży'} ${detail.instrument} zakończyło się bez pełnej realizacji. To, co było odłożone, jest znów dostępne.`,
      ]
    case 'dividend':
      return ['Dywidenda', `${detail.instrument} wypłaca ${comma(detail.amount)} ${detail.asset}.`]
    case 'corporate_action':
      return [
        'Podział akcji',
        `${detail.instrument}: ${comma(detail.to)} za ${comma(detail.from)} od ${detail.exDate}.`,
      ]
    case 'price_alert':
      return [
        'Alert cenowy',
        `${detail.subject} jest ${detail.direction === 'above' ? 'powyżej' : 'poniżej'} ${comma(detail.threshold)} ${detail.currency}: ${comma(detail.price)}.`,
      ]
    case 'rule_executed':
      return ['Wykonano zgodnie z poleceniem', `Wykonano: ${RULES_PL[detail.ruleKind]}.`]
    case 'rule_failed':
      return [
        'Nie udało się wykonać',
        `Nie wykonano: ${RULES_PL[detail.ruleKind]} (${detail.code}).${detail.ended ? ' Nie będzie kolejnych prób.' : ''}`,
      ]
    case 'signed_in':
      return [
        'Nowe logowanie',
        `Ktoś zalogował się na Twoje konto z nowej przeglądarki (${detail.ip}). Jeśli to nie Ty, zakończ tę sesję w Ustawieniach i zmień hasło.`,
      ]
    case 'webhook_disabled':
      return [
        'Webhook wyłączony',
        `Nic nie jest już wysyłane na ${detail.url}: ${detail.reason === 'gone' ? 'odpowiada, że go nie ma' : 'przez trzy dni nie udała się żadna próba'}.`,
      ]
  }
}
