import { ProviderError } from './rate-provider.ts'
import type { StockPage } from './stock-provider.ts'

/**
 * Walks all pages, one request each. A walk that comes back to a page it has seen, or goes on past `pagesMax`, is
 * an error of the provider and ends: what was read until then has been handed out.
 * @throws ProviderError `bad_answer` with code `page_loop` or `too_many_pages`, or whatever `readPage` throws
 */
export async function* readPages<Item>(
  readPage: (cursor: string | undefined) => Promise<StockPage<Item>>,
  pagesMax: number,
): AsyncGenerator<StockPage<Item>> {
  const seen = new Set<string>()
  let cursor: string | undefined
  for (let pages = 0; pages < pagesMax; pages += 1) {
    const page = await readPage(cursor)
    yield page
    if (page.next === null) return
    if (seen.has(page.next)) {
      throw new ProviderError('bad_answer', 'page_loop', 'The pages of the answer go round in a circle.')
    }
    seen.add(page.next)
    cursor = page.next
  }
  throw new ProviderError('bad_answer', 'too_many_pages', `The answer goes on past ${pagesMax} pages.`)
}
