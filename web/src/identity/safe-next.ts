/** Where to go after signing in: only a page of ours, whatever a link from elsewhere says. */
export function safeNext(next: unknown): string {
  if (typeof next !== 'string' || !/^\/(?![/\\])/u.test(next)) return '/'
  return next.startsWith('/sign-') ? '/' : next
}
