import { createCipheriv, createDecipheriv, createHmac, hkdfSync } from 'node:crypto'

const SECRET_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const PREFIX = 'whsec_'

export interface SealedSecrets {
  /** For storing: AES-256-GCM, bound to the webhook's id so that a row's secret is of no use in another. */
  seal(secret: Buffer, webhookId: string): Buffer
  /** @throws when SECRET_KEY or the row is another than it was sealed with */
  open(sealed: Buffer, webhookId: string): Buffer
}

/** The key is derived, so that SECRET_KEY can serve other purposes beside this one. */
export function createSealedSecrets(secretKey: Buffer, randomBytes: (size: number) => Buffer): SealedSecrets {
  const key = Buffer.from(hkdfSync('sha256', secretKey, '', 'kantor webhook secrets v1', 32))
  return {
    seal(secret, webhookId) {
      const nonce = randomBytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(webhookId))
      const sealed = Buffer.concat([cipher.update(secret), cipher.final()])
      return Buffer.concat([nonce, cipher.getAuthTag(), sealed])
    },
    open(sealed, webhookId) {
      const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      })
      decipher.setAAD(Buffer.from(webhookId)).setAuthTag(tag)
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()])
    },
  }
}

export const newWebhookSecret = (randomBytes: (size: number) => Buffer): Buffer => randomBytes(SECRET_BYTES)

/** As Standard Webhooks writes them: `whsec_` and base64. */
export const secretText = (secret: Buffer): string => `${PREFIX}${secret.toString('base64')}`

export interface SignedMessage {
  readonly id: string
  /** Seconds since 1970, of this attempt. */
  readonly timestamp: number
  readonly body: string
}

/**
 * The headers of Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec): `v1,` and the base64
 * HMAC-SHA256 of `id.timestamp.body`, once per secret, with a blank between.
 */
export function signatureHeaders(
  { id, timestamp, body }: SignedMessage,
  secrets: readonly Buffer[],
): Record<string, string> {
  const content = `${id}.${timestamp}.${body}`
  const signatures = secrets.map(
    (secret) => `v1,${createHmac('sha256', secret).update(content).digest('base64')}`,
  )
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures.join(' '),
  }
}
