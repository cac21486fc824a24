/** How old rates may be before nobody may deal at them, counted from the moment the provider says they are of. */
export interface AgeLimits {
  readonly hourlySeconds: number
  readonly dailySeconds: number
}

/**
 * Two hours for feeds that are asked every hour. Reference rates of a working day are the best there is until
 * the next: over Easter that is from Thursday 14:15 to Tuesday 16:00, hence 5 days and 6 hours.
 */
export const DEFAULT_AGE_LIMITS: AgeLimits = { hourlySeconds: 7_200, dailySeconds: 453_600 }

export function ageLimitSeconds(limits: AgeLimits, kind: 'hourly' | 'daily'): number {
  return kind === 'hourly' ? limits.hourlySeconds : limits.dailySeconds
}
