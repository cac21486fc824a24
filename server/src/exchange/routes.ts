import { conversion, conversionQuote, conversionQuoteRequest, conversionRequest } from '@kantor/contract/api'
import { route } from '#http'
import type { Route } from '#http'
import { convertAtQuote } from './convert-at-quote.ts'
import type { ConvertDeps } from './convert-at-quote.ts'
import { offerQuote } from './offer-quote.ts'
import type { OfferDeps } from './offer-quote.ts'
import { checkExchangeSettings } from './settings.ts'

export type ExchangeDeps = OfferDeps & ConvertDeps

export function exchangeRoutes(deps: ExchangeDeps): Route[] {
  checkExchangeSettings(deps.settings)
  return [
    route({
      method: 'POST',
      path: '/conversion-quotes',
      access: 'trade',
      tag: 'exchange',
      summary:
        'A firm offer for a conversion with one amount fixed, good for seconds and for one conversion.',
      body: conversionQuoteRequest,
      reply: conversionQuote,
      status: 201,
      problems: [
        'unknown_asset',
        'asset_frozen',
        'same_asset',
        'rate_unknown',
        'rates_stale',
        'amount_not_positive',
        'amount_too_small',
        'amount_too_large',
        'exposure_limit',
        'too_many_quotes',
      ],
      handle: async ({ principal, body }) => ({ body: await offerQuote(deps, principal.walletId, body) }),
    }),
    route({
      method: 'POST',
      path: '/conversions',
      access: 'trade',
      tag: 'exchange',
      summary: 'Convert at a quote. It is judged to be in time when it is posted, and can be used once.',
      body: conversionRequest,
      reply: conversion,
      status: 201,
      idempotent: true,
      problems: [
        'not_found',
        'quote_expired',
        'quote_used',
        'insufficient_funds',
        'asset_frozen',
        'amount_too_large',
        'idempotency_key_reused',
        'busy',
      ],
      handle: ({ principal, body, idempotencyKey }) =>
        convertAtQuote(deps, principal.walletId, body, idempotencyKey),
    }),
  ]
}
