import type { Candles, OrderRequest, Positions, WorthHistory } from '@kantor/contract/api'
import { kantor } from './client.ts'

const at = (instrument: string) => ({ instrument })

export const searchInstruments = (q: string, signal: AbortSignal) =>
  kantor.get('/instruments', { query: { q, limit: 12 }, signal })
export const listInstruments = (limit: number) => kantor.get('/instruments', { query: { limit } })
export const getInstrument = (ref: string) => kantor.get('/instruments/{instrument}', { path: at(ref) })
export const getCandles = (ref: string, query: { span: Candles['span']; from: string }) =>
  kantor.get('/instruments/{instrument}/candles', { path: at(ref), query })

export const listWatchlist = () => kantor.get('/watchlist')
export const addToWatchlist = (instrument: string) => kantor.post('/watchlist', { body: { instrument } })
export const removeFromWatchlist = (ref: string) =>
  kantor.delete('/watchlist/{instrument}', { path: at(ref) })

export const previewOrder = (body: OrderRequest, signal: AbortSignal) =>
  kantor.post('/orders/preview', { body, signal })
export const postOrder = (body: OrderRequest, idempotencyKey: string) =>
  kantor.post('/orders', { body, idempotencyKey })
export const listOrders = (query: { status?: 'open' | 'done'; cursor?: string; limit?: number }) =>
  kantor.get('/orders', { query })
export const getOrder = (id: string) => kantor.get('/orders/{id}', { path: { id } })
export const cancelOrder = (id: string) => kantor.delete('/orders/{id}', { path: { id } })

export const listPositions = () => kantor.get('/positions')
export const setPositionsMethod = (method: Positions['method']) =>
  kantor.patch('/positions/settings', { body: { method } })
export const getWorth = (range: WorthHistory['range']) => kantor.get('/wallet/worth', { query: { range } })
