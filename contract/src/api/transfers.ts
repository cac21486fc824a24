import { z } from 'zod'
import { amountText, assetCode, email, handle, id, personText, timestamp } from './shared.ts'

/** `@edek`, `edek` or an e-mail address. */
const payeeRef = z.union([handle, z.string().regex(/^@[a-z][a-z0-9_]{2,23}$/), email], {
  error: 'must be a handle such as @edek, or an e-mail address',
})

export const payeesQuery = z.strictObject({ q: personText(254).min(1) })

export const payee = z.strictObject({
  handle,
  /** Masked: enough to recognise somebody one knows, `Ed** K******`. */
  name: z.string(),
})
export type Payee = z.infer<typeof payee>
export const payees = z.strictObject({ items: z.array(payee), nextCursor: z.null() })

export const transferRequest = z.strictObject({
  to: payeeRef,
  asset: assetCode,
  amount: amountText,
  note: personText(140).optional(),
})
export type TransferRequest = z.infer<typeof transferRequest>

export const transfer = z.strictObject({
  id,
  kind: z.literal('transfer'),
  status: z.literal('posted'),
  asset: assetCode,
  amount: amountText,
  to: payee,
  note: z.string().nullable(),
  at: timestamp,
})
export type Transfer = z.infer<typeof transfer>
