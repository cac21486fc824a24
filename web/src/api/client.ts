import { createClient } from '@kantor/client'

const signedOutListeners = new Set<() => void>()

/** Told when a request shows that the session has ended, so that every page need not look for it. */
export function onSignedOut(listener: () => void): void {
  signedOutListeners.add(listener)
}

/** The server that sent this page, asked with the session that the browser has. */
export const kantor = createClient({
  onRefusal: ({ code }) => {
    if (code === 'not_authenticated') for (const listener of signedOutListeners) listener()
  },
})
