import { createSocket } from 'node:dgram'
import type { LookupAddress } from 'node:dns'
import { once } from 'node:events'
import { afterAll, expect, test } from 'vitest'
import { askNameServers } from './ask-name-servers.ts'
import { createPostOutside } from './post-outside.ts'

const [TYPE_A, NOERROR, NXDOMAIN] = [1, 0, 3]
const HEADER_BYTES = 12

/** RFC 1035, as much as these tests need: `silent` is never answered, `missing` is not there, others are 192.0.2.7. */
const server = createSocket('udp4', (query, { port, address }) => {
  const [name = ''] = query
    .subarray(HEADER_BYTES + 1)
    .toString('latin1')
    .split(/[^a-z]/)
  if (name === 'silent') return
  const question = query.subarray(HEADER_BYTES, query.indexOf(0, HEADER_BYTES) + 5)
  const code = name === 'missing' ? NXDOMAIN : NOERROR
  const hasAnswer = code === NOERROR && question.readUInt16BE(question.length - 4) === TYPE_A
  const header = Buffer.alloc(HEADER_BYTES)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8180 + code, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(hasAnswer ? 1 : 0, 6)
  const answer = Buffer.from('c00c00010001000000050004c0000207', 'hex')
  server.send(Buffer.concat([header, question, hasAnswer ? answer : Buffer.alloc(0)]), port, address)
})
server.bind(0, '127.0.0.1')
await once(server, 'listening')
afterAll(() => void server.close())
const resolve = askNameServers([`127.0.0.1:${server.address().port}`])
const lookUp = (hostname: string) =>
  new Promise<readonly [string | undefined, LookupAddress[] | undefined]>((answered) =>
    resolve(hostname, (error, addresses) => answered([error?.code, addresses])),
  )

test('a name is found by its addresses of either family, and one that is not there is said so', async () => {
  expect(await lookUp('there.example.com')).toEqual([undefined, [{ address: '192.0.2.7', family: 4 }]])
  expect(await lookUp('missing.example.com')).toEqual(['ENOTFOUND', undefined])
})

test('names whose servers never answer hold up nobody else’s', async () => {
  const silent = Array.from({ length: 50 }, (_, index) => lookUp(`silent.${index}.example.com`))
  const first = await Promise.race([...silent, lookUp('there.example.com')])
  expect(first[1]).toHaveLength(1)
})

test('what it finds is judged like any other', async () => {
  const post = createPostOutside({ allowPrivate: false, resolve })
  expect(await post('https://there.example.com/', {}, '{}')).toMatchObject({ failure: 'address_refused' })
  expect(await post('https://missing.example.com/', {}, '{}')).toMatchObject({ failure: 'name_not_found' })
})
