// Shows what is pushed, and opens the page that it is about. It caches nothing and answers no request.
self.addEventListener('push', (event) => {
  if (event.data === null) return
  const { noticeId, title, text, path } = event.data.json()
  event.waitUntil(
    self.registration.showNotification(title, {
      body: text,
      // The same notice twice replaces itself.
      tag: noticeId,
      icon: '/icon-192.png',
      data: { path },
    }),
  )
})

self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  const { path } = event.notification.data
  event.waitUntil(openAt(new URL(path, self.location.origin)))
})

async function openAt(address) {
  // A push is encrypted by our server; all the same it leads nowhere but here.
  if (address.origin !== self.location.origin) return
  const [open] = await self.clients.matchAll({ type: 'window' })
  if (open === undefined) await self.clients.openWindow(address.href)
  else {
    await open.focus()
    await open.navigate(address.href)
  }
}
