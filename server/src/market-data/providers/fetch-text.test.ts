import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { fakeFeed } from './fake-feed.ts'
import { fetchText } from './fetch-text.ts'

const feed = await fakeFeed()
const other = await fakeFeed(() => ({ body: 'from elsewhere' }))

const get = (more: { path?: string; deadlineSeconds?: number; signal?: AbortSignal } = {}) =>
  fetchText({
    url: new URL(`${feed.url}${more.path ?? '/'}`),
    signal: more.signal ?? new AbortController().signal,
    deadlineSeconds: more.deadlineSeconds ?? 5,
    bodyBytesMax: 1000,
  })

test('a body up to the limit is read', async () => {
  feed.answer = () => ({ body: 'ł'.repeat(500) })
  await expect(get()).resolves.toMatchObject({ status: 200, text: 'ł'.repeat(500) })
})

test('a body that announces more than the limit is not begun', async () => {
  feed.answer = () => ({
    headers: { 'content-length': '50000000' },
    write: (response) => response.write('x'),
  })
  await expect(get()).rejects.toMatchObject({ kind: 'bad_answer', code: 'body_too_large' })
})

test('an endless body is cut at the limit', async () => {
  let cut = false
  feed.answer = () => ({
    write: (response) => {
      const more = () => {
        if (!response.destroyed) setTimeout(() => response.write('x'.repeat(400), more), 1)
      }
      response.on('close', () => (cut = true))
      more()
    },
  })
  await expect(get()).rejects.toMatchObject({ code: 'body_too_large' })
  await expect.poll(() => cut).toBe(true)
})

test('a small compressed body that grows past the limit is cut', async () => {
  feed.answer = () => ({
    headers: { 'content-encoding': 'gzip' },
    write: (response) => response.end(gzipSync('x'.repeat(5_000_000))),
  })
  await expect(get()).rejects.toMatchObject({ code: 'body_too_large' })
})

test('a provider that does not finish in time is a transient failure', async () => {
  feed.answer = () => ({ write: (response) => response.write('slow') })
  await expect(get({ deadlineSeconds: 0.05 })).rejects.toMatchObject({ kind: 'transient', code: 'timeout' })
})

test('a caller that stops is not kept waiting', async () => {
  feed.answer = () => ({ write: (response) => response.write('slow') })
  await expect(get({ signal: AbortSignal.timeout(50) })).rejects.toMatchObject({ code: 'stopped' })
})

test('redirects are followed on the same host only', async () => {
  feed.answer = (path) => (path === '/' ? { status: 302, headers: { location: '/there' } } : { body: path })
  await expect(get()).resolves.toMatchObject({ text: '/there' })
  feed.answer = () => ({ status: 302, headers: { location: `${other.url}/steal` } })
  await expect(get()).rejects.toMatchObject({ kind: 'bad_answer', code: 'redirect' })
  expect(other.asked).toEqual([])
  feed.answer = () => ({ status: 302, headers: { location: '/' } })
  await expect(get()).rejects.toMatchObject({ code: 'redirect' })
})

test('a body that is not text is refused', async () => {
  feed.answer = () => ({ write: (response) => response.end(Buffer.from([0xff, 0xfe, 0x00])) })
  await expect(get()).rejects.toMatchObject({ code: 'not_text' })
})

test('an unreachable provider is transient, and the error does not say the key', async () => {
  const refused = fetchText({
    url: new URL('http://127.0.0.1:1/?access_key=SECRET'),
    signal: new AbortController().signal,
    deadlineSeconds: 5,
    bodyBytesMax: 10,
  })
  await expect(refused).rejects.toMatchObject({ kind: 'transient', code: 'unreachable' })
  await refused.catch((error: unknown) =>
    expect(JSON.stringify(error) + String(error)).not.toContain('SECRET'),
  )
})
