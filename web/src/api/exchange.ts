import type { ConversionQuoteRequest, ConversionRequest } from '@kantor/contract/api'
import { kantor } from './client.ts'

export const createConversionQuote = (body: ConversionQuoteRequest, signal: AbortSignal) =>
  kantor.post('/conversion-quotes', { body, signal })
export const postConversion = (body: ConversionRequest, idempotencyKey: string) =>
  kantor.post('/conversions', { body, idempotencyKey })
