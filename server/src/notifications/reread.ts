import { setTimeout as sleep } from 'node:timers/promises'

export interface Reread {
  /** There is something to read. Who asks while it reads gets it read once more, from after this moment. */
  wake(): void
  readonly busy: boolean
}

export interface RereadOptions {
  /** Reads some and says whether there is more. */
  readonly read: () => Promise<boolean>
  /** After the last attempt failed. */
  readonly failed: (error: unknown) => void
}

const ATTEMPTS_MAX = 5
const RETRY_MS = 200

/** Reads one after the other until there is nothing more, however often it is asked meanwhile. */
export function createReread({ read, failed }: RereadOptions): Reread {
  let busy = false
  let again = false

  const readPatiently = async (): Promise<boolean> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await read()
      } catch (error) {
        if (attempt === ATTEMPTS_MAX) throw error
        await sleep(RETRY_MS * 2 ** attempt, undefined, { ref: false })
      }
    }
  }
  const run = async () => {
    try {
      do {
        again = false
        while (await readPatiently());
      } while (again)
    } catch (error) {
      failed(error)
    } finally {
      busy = false
    }
  }
  return {
    wake: () => {
      again = true
      if (busy) return
      busy = true
      void run()
    },
    get busy() {
      return busy
    },
  }
}
