/**
 * Nobody is signed in here, so this browser asks its push service for nothing more and Settings shows it as off. Should
 * it fail, nothing is pushed all the same: the server looks at the session.
 */
export async function endPush(): Promise<void> {
  if (!('serviceWorker' in navigator) || !('PushManager' in globalThis)) return
  const registration = await navigator.serviceWorker.getRegistration()
  const subscription = await registration?.pushManager.getSubscription()
  await subscription?.unsubscribe()
}
