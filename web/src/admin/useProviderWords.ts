import type { Providers, RateProviderStatus } from '@kantor/contract/api'
import { useFormat, useText } from '#i18n'

/** A provider's state as names and figures, in the language of the page. */
export function useProviderWords() {
  const { t } = useText()
  const { exactTime, duration, date } = useFormat()
  const orNever = (moment: string | null) => (moment === null ? t('admin.never') : exactTime(moment))

  function providerRows(provider: RateProviderStatus) {
    const { quota, counts } = provider
    return [
      {
        name: t('admin.newest'),
        value: orNever(provider.lastAsOf),
        note:
          provider.ageSeconds === null
            ? undefined
            : t('admin.old', { amount: duration(provider.ageSeconds * 1000) }),
      },
      {
        name: t('admin.asked'),
        value: orNever(provider.lastSuccessAt),
        note: t('admin.every', { amount: duration(provider.intervalSeconds * 1000) }),
      },
      ...(quota === null
        ? []
        : [
            {
              name: t('admin.quota'),
              value: t('admin.left', { first: quota.remaining, last: quota.limit }),
              note: t('admin.until', { at: date(quota.resetsAt) }),
            },
          ]),
      {
        name: t('admin.answers'),
        value: t('admin.polls', { n: counts.polls }),
        note: t('admin.pollFailures', {
          first: counts.failed,
          last: counts.refused + counts.quarantined,
        }),
      },
    ]
  }

  function entitlementRows(
    entitlement: NonNullable<Providers['stocks']['entitlement']>,
    live: Providers['stocks']['stream'],
  ) {
    const { timeliness, snapshots, intraday, stream, requestsPerMinute } = entitlement
    const yesOrNo = (has: boolean | null) =>
      has === null ? t('admin.untried') : has ? t('admin.yes') : t('admin.no')
    return [
      { name: t('admin.prices'), value: t(`stocks.timeliness.${timeliness}`) },
      { name: t('admin.snapshots'), value: yesOrNo(snapshots) },
      { name: t('admin.intraday'), value: yesOrNo(intraday) },
      {
        name: t('admin.stream'),
        value: yesOrNo(stream),
        note:
          live?.held === true
            ? t(`admin.streamStates.${live.state}`, { n: live.instruments, at: orNever(live.lastEventAt) })
            : undefined,
      },
      {
        name: t('admin.perMinute'),
        value: requestsPerMinute === null ? t('admin.unmetered') : String(requestsPerMinute),
        note: t('admin.foundAt', { at: exactTime(entitlement.probedAt) }),
      },
    ]
  }

  return { providerRows, entitlementRows }
}
