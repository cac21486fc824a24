import type { IncomingHttpHeaders } from 'node:http'

/**
 * Whether a state-changing request may come from where it says it comes from. Browsers always send `Origin`
 * with one, and `Sec-Fetch-Site` where they can; neither can be set by a page. A request with neither was not
 * made by a browser, so it cannot ride on somebody's cookie.
 */
export function isSameOrigin(headers: IncomingHttpHeaders, publicOrigin: string): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return false
  const origin = headers.origin
  if (origin === undefined || origin === publicOrigin) return true
  return URL.canParse(origin) && new URL(origin).host === headers.host
}
