import { backgroundJobs, failedJobParams, failedJobs, jobParams } from '@kantor/contract/api'
import type { BackgroundJob } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Database } from '#db'
import { route } from '#http'
import type { Route } from '#http'
import type { Jobs, JobStatus } from '#jobs'
import { noteAct } from './note-act.ts'

export interface JobRoutesDeps {
  readonly db: Database
  readonly jobs: Pick<Jobs, 'statuses' | 'failed' | 'retry' | 'runNow'>
  readonly clock: () => Date
}

const tag = 'admin'

/** What runs in the background, and the two things that a person may do about it; both are written down. */
export function jobRoutes(deps: JobRoutesDeps): Route[] {
  return [...seeing(deps), ...acting(deps)]
}

function seeing({ db, jobs, clock }: JobRoutesDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/admin/jobs',
      access: 'admin',
      tag,
      summary: 'Every background job: its schedule, its last run and error, and what of it is queued',
      reply: backgroundJobs,
      handle: async () => ({
        body: { items: (await jobs.statuses(db, clock())).map(jobBody), nextCursor: null },
      }),
    }),
    route({
      method: 'GET',
      path: '/admin/jobs/failed',
      access: 'admin',
      tag,
      summary: 'The newest 100 queued jobs that have failed, whether or not they are tried again',
      reply: failedJobs,
      handle: async () => ({
        body: {
          items: (await jobs.failed(db)).map(({ job, runAt, ...failed }) => ({
            ...failed,
            name: job,
            runAt: runAt.toISOString(),
          })),
          nextCursor: null,
        },
      }),
    }),
  ]
}

function acting({ db, jobs, clock }: JobRoutesDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/admin/jobs/failed/{id}/retry',
      access: 'admin',
      tag,
      summary: 'Run a failed job again now, with all of its tries',
      params: failedJobParams,
      handle: ({ principal, params, client }) =>
        db.transaction(async (tx) => {
          if (!(await jobs.retry(tx, params.id)))
            throw new Problem('not_found', {
              detail: 'No job that can be retried has this id: it may be done, or running.',
            })
          await noteAct(tx, { principal, client }, 'job_retried', { jobId: params.id }, clock())
          return {}
        }),
    }),
    route({
      method: 'POST',
      path: '/admin/jobs/{name}/run',
      access: 'admin',
      tag,
      summary: 'Run a scheduled job now, out of turn',
      params: jobParams,
      handle: ({ principal, params, client }) =>
        db.transaction(async (tx) => {
          if (!(await jobs.runNow(tx, params.name)))
            throw new Problem('not_found', { detail: 'No job that is run by the clock has this name.' })
          await noteAct(tx, { principal, client }, 'job_started', { job: params.name }, clock())
          return {}
        }),
    }),
  ]
}

const isoOrNull = (moment: Date | null): string | null => moment?.toISOString() ?? null

function jobBody(status: JobStatus): BackgroundJob {
  const { schedule, lastError, lastErrorAt } = status
  return {
    name: status.job,
    schedule: schedule === null ? null : { ...schedule, nextTickAt: isoOrNull(schedule.nextTickAt) },
    timeoutSeconds: status.timeoutSeconds,
    attemptsMax: status.attemptsMax,
    runs: Number(status.runs),
    failures: Number(status.failures),
    lastStartedAt: isoOrNull(status.lastStartedAt),
    lastFinishedAt: isoOrNull(status.lastFinishedAt),
    lastSuccessAt: isoOrNull(status.lastSuccessAt),
    lastDurationMs: status.lastDurationMs,
    lastError:
      lastError === null || lastErrorAt === null
        ? null
        : { message: lastError, at: lastErrorAt.toISOString() },
    waiting: Number(status.waiting),
    running: Number(status.running),
    givenUp: Number(status.givenUp),
  }
}
