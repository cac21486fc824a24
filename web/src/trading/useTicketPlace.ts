import { ref } from 'vue'
import type { Side } from './order-request.ts'

/** Where the ticket stands: beside the chart where there is room, over the page on a phone. */
export function useTicketPlace() {
  const side = ref<Side>('buy')
  const opened = ref(false)
  /** A new round is a new ticket, so that the last receipt does not stand in its place. */
  const round = ref(0)

  function open(wanted: Side): void {
    side.value = wanted
    round.value += 1
    opened.value = true
    document.getElementById('ticket')?.scrollIntoView({ block: 'nearest' })
  }

  return { side, opened, round, open }
}
