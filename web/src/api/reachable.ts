/** Whether our server answers at all. Where it does not, loading a page anew would leave the app for the browser's own. */
export async function isServerReachable(): Promise<boolean> {
  const answer = await fetch('/health/live', { cache: 'no-store' }).catch(() => null)
  return answer?.ok === true
}
