import { hash } from 'node:crypto'

/** 256 bits: what a session, device or key is worth guessing against. */
const SECRET_BYTES = 32
const KEY_PREFIX_BYTES = 6

export type RandomBytes = (size: number) => Buffer

const SESSION_TOKEN = /^[A-Za-z0-9_-]{43}$/
const API_KEY = /^kantor_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/

/** A secret for a cookie: 43 characters of base64url. */
export const newToken = (randomBytes: RandomBytes): string => randomBytes(SECRET_BYTES).toString('base64url')

/** The key, shown once, and the part of it that its owner tells it by. */
export function newApiKey(randomBytes: RandomBytes): { key: string; prefix: string } {
  const prefix = `kantor_${randomBytes(KEY_PREFIX_BYTES).toString('hex')}`
  return { key: `${prefix}_${newToken(randomBytes)}`, prefix }
}

export const isToken = (text: string): boolean => SESSION_TOKEN.test(text)
export const isApiKey = (text: string): boolean => API_KEY.test(text)

/**
 * What is stored and looked up: SHA-256 of the token's text, as PostgreSQL reads a bytea. Of the text and not
 * of the bytes it stands for, since two texts can stand for the same bytes (base64 leaves two bits over), and
 * without salt or stretching, which a secret of 256 random bits does not need.
 */
export const tokenHash = (token: string): string => `\\x${hash('sha256', token, 'hex')}`
