/** The exchange room's door: conversion quotes and conversions. See README.md. */
export { marginOf } from './margin.ts'
export { priceConversion } from './price-conversion.ts'
export type { FixedSide, Price, PriceResult, PriceTerms } from './price-conversion.ts'
export { exchangeRoutes } from './routes.ts'
export type { ExchangeDeps } from './routes.ts'
export { checkExchangeSettings, DEFAULT_EXCHANGE_SETTINGS, pairSettings } from './settings.ts'
export type { ExchangeSettings, PairSettings } from './settings.ts'
export { sweepQuotes } from './sweep-quotes.ts'
