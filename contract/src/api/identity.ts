import { z } from 'zod'
import { assetCode, email, givenTimestamp, handle, id, nameText, timestamp } from './shared.ts'

export const PASSWORD_LENGTH_MIN = 10
export const PASSWORD_LENGTH_MAX = 128

const displayName = nameText(80)
/** Sign-in accepts whatever length was once allowed; only sign-up asks for a good password. */
const givenPassword = z.string().min(1).max(PASSWORD_LENGTH_MAX)

export const signUpRequest = z.strictObject({
  email,
  password: z.string().min(PASSWORD_LENGTH_MIN).max(PASSWORD_LENGTH_MAX),
  name: displayName,
  handle,
  baseCurrency: assetCode,
  /** Currencies the wallet opens with; the base currency is always among them. */
  currencies: z.array(assetCode).max(40).optional(),
})
export type SignUpRequest = z.infer<typeof signUpRequest>

export const signInRequest = z.strictObject({ email, password: givenPassword })
export type SignInRequest = z.infer<typeof signInRequest>

export const locale = z.enum(['en', 'pl'])
export const theme = z.enum(['light', 'dark', 'system'])
export const role = z.enum(['customer', 'support', 'admin'])

export const me = z.strictObject({
  id,
  email: z.string(),
  name: z.string(),
  handle,
  role,
  baseCurrency: assetCode,
  locale,
  theme,
  frozen: z.boolean(),
  createdAt: timestamp,
})
export type Me = z.infer<typeof me>

export const updateMeRequest = z
  .strictObject({ name: displayName, handle, baseCurrency: assetCode, locale, theme })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change at least one field')
export type UpdateMeRequest = z.infer<typeof updateMeRequest>

export const session = z.strictObject({
  id,
  createdAt: timestamp,
  lastSeenAt: timestamp,
  expiresAt: timestamp,
  userAgent: z.string(),
  ip: z.string(),
  current: z.boolean(),
})
export type Session = z.infer<typeof session>
export const sessions = z.strictObject({ items: z.array(session), nextCursor: z.null() })

export const SCOPES = ['read', 'trade', 'transfer'] as const
export const scope = z.enum(SCOPES)
export type Scope = z.infer<typeof scope>

export const createApiKeyRequest = z.strictObject({
  name: nameText(60),
  scopes: z
    .array(scope)
    .min(1)
    .max(SCOPES.length)
    .refine((all) => new Set(all).size === all.length, 'must not repeat a scope'),
  expiresAt: givenTimestamp.optional(),
})
export type CreateApiKeyRequest = z.infer<typeof createApiKeyRequest>

export const apiKey = z.strictObject({
  id,
  name: z.string(),
  prefix: z.string(),
  scopes: z.array(scope),
  createdAt: timestamp,
  lastUsedAt: timestamp.nullable(),
  expiresAt: timestamp.nullable(),
})
export type ApiKey = z.infer<typeof apiKey>
export const createdApiKey = apiKey.extend({ key: z.string() })
export type CreatedApiKey = z.infer<typeof createdApiKey>
export const apiKeys = z.strictObject({ items: z.array(apiKey), nextCursor: z.null() })
