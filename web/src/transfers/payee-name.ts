const CHARS_MIN = 2

/** Enough of a handle or an e-mail address for the server to be asked. */
export const namesAPayee = (typed: string): boolean => typed.replace(/^@/u, '').length >= CHARS_MIN
