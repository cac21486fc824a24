/** The door of events: the ledger's journals as a stream, to every process or to one of all. See README.md. */
export { createEvents } from './create-events.ts'
export type { Events, EventsDeps } from './create-events.ts'
export type { DeadLetter } from './dead-letters.ts'
export type { EventConsumer } from './handle-events.ts'
export { eventsAfter } from './read-events.ts'
export type { ConsumerStatus, EventsStatus } from './status.ts'
export type { WatchListener } from './watch.ts'
