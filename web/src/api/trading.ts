import type {
  Candles,
  Instrument,
  InstrumentInFull,
  Order,
  OrderPreview,
  OrderRequest,
  Orders,
  Positions,
  WorthHistory,
} from '@kantor/contract/api'
import { call } from './client.ts'

type Instruments = { items: Instrument[] }

const at = (ref: string) => encodeURIComponent(ref)

export const searchInstruments = (q: string, signal: AbortSignal) =>
  call<Instruments>('GET', '/instruments', { query: { q, limit: 12 }, signal })
export const listInstruments = (limit: number) =>
  call<Instruments>('GET', '/instruments', { query: { limit } })
export const getInstrument = (ref: string) => call<InstrumentInFull>('GET', `/instruments/${at(ref)}`)
export const getCandles = (ref: string, query: { span: Candles['span']; from: string }) =>
  call<Candles>('GET', `/instruments/${at(ref)}/candles`, { query })

export const listWatchlist = () => call<Instruments>('GET', '/watchlist')
export const addToWatchlist = (instrument: string) =>
  call<unknown>('POST', '/watchlist', { body: { instrument } })
export const removeFromWatchlist = (ref: string) => call<void>('DELETE', `/watchlist/${at(ref)}`)

export const previewOrder = (body: OrderRequest, signal: AbortSignal) =>
  call<OrderPreview>('POST', '/orders/preview', { body, signal })
export const postOrder = (body: OrderRequest, idempotencyKey: string) =>
  call<Order>('POST', '/orders', { body, idempotencyKey })
export const listOrders = (query: { status?: 'open' | 'done'; cursor?: string; limit?: number }) =>
  call<Orders>('GET', '/orders', { query: { ...query } })
export const getOrder = (id: string) => call<Order>('GET', `/orders/${id}`)
export const cancelOrder = (id: string) => call<Order>('DELETE', `/orders/${id}`)

export const listPositions = () => call<Positions>('GET', '/positions')
export const setPositionsMethod = (method: Positions['method']) =>
  call<unknown>('PATCH', '/positions/settings', { body: { method } })
export const getWorth = (range: WorthHistory['range']) =>
  call<WorthHistory>('GET', '/wallet/worth', { query: { range } })
