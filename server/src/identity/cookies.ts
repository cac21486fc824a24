/** Browsers keep a cookie for at most 400 days. */
const DEVICE_COOKIE_SECONDS = 400 * 24 * 3600

export interface SessionCookies {
  readonly sessionName: string
  readonly deviceName: string
  readonly setSession: (token: string) => string
  readonly setDevice: (token: string) => string
  readonly clearSession: () => string
}

/**
 * The two cookies of a browser: the session, and the mark of a browser that somebody has signed in from.
 * `__Host-` lets no other host and no plain http set them, but browsers take it on https only.
 */
export function sessionCookies(https: boolean, sessionLifeSeconds: number): SessionCookies {
  const prefix = https ? '__Host-' : ''
  const sessionName = `${prefix}kantor`
  const deviceName = `${prefix}kantor-device`
  const write = (name: string, value: string, maxAgeSeconds: number) =>
    `${name}=${value}; Path=/; Max-Age=${maxAgeSeconds}; HttpOnly; SameSite=Lax${https ? '; Secure' : ''}`
  return {
    sessionName,
    deviceName,
    setSession: (token) => write(sessionName, token, sessionLifeSeconds),
    setDevice: (token) => write(deviceName, token, DEVICE_COOKIE_SECONDS),
    clearSession: () => write(sessionName, '', 0),
  }
}
