import type { StockPrice } from '@kantor/contract/api'
import { useText } from '#i18n'

/** How late a price is: of a delayed feed, by as much as it has been seen to be. */
export function useTimeliness() {
  const { t } = useText()
  return ({ timeliness, delaySeconds }: Pick<StockPrice, 'timeliness' | 'delaySeconds'>): string =>
    delaySeconds === null
      ? t(`stocks.timeliness.${timeliness}`)
      : t('stocks.delayedBy', { minutes: Math.max(1, Math.round(delaySeconds / 60)) })
}
