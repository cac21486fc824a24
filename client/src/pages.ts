/** More than any list of one customer has; a server that answers a cursor for ever is not followed for ever. */
const PAGES_MAX = 100_000

interface Page {
  readonly items: readonly unknown[]
  readonly nextCursor: string | null
}

/** The items of page after page; the next is asked for when the last item of one has been taken. */
export async function* eachOf(
  read: (cursor: string | undefined) => Promise<unknown>,
): AsyncGenerator<unknown, void> {
  let cursor: string | undefined
  for (let pages = 0; pages < PAGES_MAX; pages += 1) {
    const page = (await read(cursor)) as Page
    yield* page.items
    if (page.nextCursor === null) return
    cursor = page.nextCursor
  }
  throw new Error(`a list of more than ${PAGES_MAX} pages`)
}
