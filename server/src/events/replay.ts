import { endDeadLetter, noteReplayFailure, takeReplay } from './dead-letters.ts'
import { reasonOf, type EventConsumer, type HandlingDeps } from './handle-events.ts'
import { eventsBySeq } from './read-events.ts'

/** One dead letter that somebody asked to be handled once more. @returns whether there was one */
export async function replayOne({ db, log }: HandlingDeps, consumer: EventConsumer): Promise<boolean> {
  const letter = await takeReplay(db, consumer.name)
  if (letter === null) return false
  const fields = { consumer: consumer.name, seq: String(letter.seq) }
  try {
    await db.transaction(async (tx) => {
      const [event] = await eventsBySeq(tx, [letter.seq])
      if (event === undefined) throw new Error('the ledger has no event with this seq')
      if (await endDeadLetter(tx, letter.id)) await consumer.handle(tx, [event])
    })
    log.info(fields, 'a dead letter was handled')
  } catch (error) {
    log.warn({ err: error, ...fields }, 'a dead letter failed again')
    await noteReplayFailure(db, letter.id, reasonOf(error))
  }
  return true
}
