import type {
  Conversion,
  ConversionQuote,
  ConversionQuoteRequest,
  ConversionRequest,
} from '@kantor/contract/api'
import { call } from './client.ts'

export const createConversionQuote = (body: ConversionQuoteRequest, signal: AbortSignal) =>
  call<ConversionQuote>('POST', '/conversion-quotes', { body, signal })
export const postConversion = (body: ConversionRequest, idempotencyKey: string) =>
  call<Conversion>('POST', '/conversions', { body, idempotencyKey })
