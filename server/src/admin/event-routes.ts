import {
  consumerParams,
  deadLetterParams,
  deadLetters,
  eventsStatus,
  replayedAll,
} from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Database } from '#db'
import type { Events } from '#events'
import { route } from '#http'
import type { Route } from '#http'
import { noteAct } from './note-act.ts'

export interface EventRoutesDeps {
  readonly db: Database
  readonly events: Pick<Events, 'status' | 'deadLetters' | 'replay' | 'replayAll' | 'discard'>
  readonly clock: () => Date
}

const tag = 'admin'

/** How far events have come, and what to do with those that a consumer could not handle. */
export function eventRoutes(deps: EventRoutesDeps): Route[] {
  return [...seeing(deps), ...acting(deps)]
}

function seeing({ db, events }: EventRoutesDeps): Route[] {
  return [
    route({
      method: 'GET',
      path: '/admin/events',
      access: 'admin',
      tag,
      summary: 'How far the ledger’s events are published, and how far each consumer has come',
      reply: eventsStatus,
      handle: async () => {
        const { head, relayed, backlog, consumers } = await events.status(db)
        return {
          body: {
            head: Number(head),
            relayed: Number(relayed),
            backlog: Number(backlog),
            consumers: consumers.map(({ name, waiting, deadLettered, lastSeenAt }) => ({
              name,
              waiting: Number(waiting),
              deadLettered: Number(deadLettered),
              lastSeenAt: lastSeenAt.toISOString(),
            })),
          },
        }
      },
    }),
    route({
      method: 'GET',
      path: '/admin/events/dead-letters',
      access: 'admin',
      tag,
      summary: 'The newest 100 events that were put aside because a consumer could not handle them',
      reply: deadLetters,
      handle: async () => ({
        body: {
          items: (await events.deadLetters(db)).map(
            ({ id, consumer, seq, reason, tries, diedAt, isReplayed }) => ({
              id,
              consumer,
              seq: seq === null ? null : String(seq),
              reason,
              tries,
              diedAt: diedAt.toISOString(),
              isReplayed,
            }),
          ),
          nextCursor: null,
        },
      }),
    }),
  ]
}

function acting({ db, events, clock }: EventRoutesDeps): Route[] {
  return [
    route({
      method: 'POST',
      path: '/admin/events/dead-letters/{id}/replay',
      access: 'admin',
      tag,
      summary: 'Have an event handled once more, within seconds',
      params: deadLetterParams,
      handle: ({ principal, params, client }) =>
        db.transaction(async (tx) => {
          if (!(await events.replay(tx, params.id)))
            throw new Problem('not_found', { detail: 'No event that can be replayed has this id.' })
          await noteAct(
            tx,
            { principal, client },
            'dead_letter_replayed',
            { deadLetterId: params.id },
            clock(),
          )
          return {}
        }),
    }),
    route({
      method: 'POST',
      path: '/admin/events/consumers/{name}/replay',
      access: 'admin',
      tag,
      summary: 'Have all events that a consumer put aside handled once more, oldest first',
      params: consumerParams,
      reply: replayedAll,
      handle: ({ principal, params: { name: consumer }, client }) =>
        db.transaction(async (tx) => {
          const replayed = await events.replayAll(tx, consumer)
          const detail = { consumer, replayed: String(replayed) }
          await noteAct(tx, { principal, client }, 'dead_letter_replayed', detail, clock())
          return { body: { replayed } }
        }),
    }),
    route({
      method: 'DELETE',
      path: '/admin/events/dead-letters/{id}',
      access: 'admin',
      tag,
      summary: 'Discard an event that was put aside: its consumer never sees it',
      params: deadLetterParams,
      handle: ({ principal, params, client }) =>
        db.transaction(async (tx) => {
          if (!(await events.discard(tx, params.id))) throw new Problem('not_found')
          await noteAct(
            tx,
            { principal, client },
            'dead_letter_discarded',
            { deadLetterId: params.id },
            clock(),
          )
          return {}
        }),
    }),
  ]
}
