import { useQuery } from '@pinia/colada'
import { getEventsStatus, getExposure, getProviders, listDeadLetters, listFailedJobs, listJobs } from '#api'
import { pollWhileSeen } from '#market-data'

const JOBS_SECONDS = 5
const MARKET_SECONDS = 15

export function useJobs() {
  const query = useQuery({ key: ['admin', 'jobs'], query: listJobs, staleTime: 2_000 })
  pollWhileSeen(() => query.refresh(), JOBS_SECONDS)
  return query
}

export function useFailedJobs() {
  const query = useQuery({ key: ['admin', 'failed-jobs'], query: listFailedJobs, staleTime: 2_000 })
  pollWhileSeen(() => query.refresh(), JOBS_SECONDS)
  return query
}

export function useEventsStatus() {
  const query = useQuery({ key: ['admin', 'events'], query: getEventsStatus, staleTime: 2_000 })
  pollWhileSeen(() => query.refresh(), JOBS_SECONDS)
  return query
}

export function useDeadLetters() {
  const query = useQuery({ key: ['admin', 'dead-letters'], query: listDeadLetters, staleTime: 2_000 })
  pollWhileSeen(() => query.refresh(), JOBS_SECONDS)
  return query
}

export function useProviders() {
  const query = useQuery({ key: ['admin', 'providers'], query: getProviders, staleTime: 5_000 })
  pollWhileSeen(() => query.refresh(), MARKET_SECONDS)
  return query
}

export function useExposure() {
  const query = useQuery({ key: ['admin', 'exposure'], query: getExposure, staleTime: 5_000 })
  pollWhileSeen(() => query.refresh(), MARKET_SECONDS)
  return query
}
