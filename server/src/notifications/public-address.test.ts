import { request } from 'node:http'
import { describe, expect, test } from 'vitest'
import { createPostOutside, refusalOfUrl } from './post-outside.ts'
import { AddressRefused, guardedLookup, isPublicAddress } from './public-address.ts'
import { notificationsFixture } from './notifications-fixture.ts'

const { receiver } = await notificationsFixture()

describe('an address is public', () => {
  test.each([
    '1.1.1.1',
    '93.184.216.34',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.255.255',
    '172.32.0.1',
    '2606:4700:4700::1111',
    '2a00:1450:4001:80b::200e',
  ])('%s', (address) => expect(isPublicAddress(address)).toBe(true))
})

const NOT_PUBLIC = [
  ['this host', '0.0.0.0'],
  ['private', '10.0.0.1'],
  ['private', '172.16.0.1'],
  ['private', '172.31.255.255'],
  ['private', '192.168.1.1'],
  ['carrier-grade NAT', '100.64.0.1'],
  ['metadata of a cloud within it', '100.100.100.200'],
  ['loopback', '127.0.0.1'],
  ['loopback', '127.255.255.254'],
  ['link-local, metadata', '169.254.169.254'],
  ['Azure’s wire server', '168.63.129.16'],
  ['protocol assignments, metadata', '192.0.0.192'],
  ['documentation', '192.0.2.1'],
  ['benchmarking', '198.19.255.255'],
  ['multicast', '224.0.0.1'],
  ['reserved', '240.0.0.1'],
  ['broadcast', '255.255.255.255'],
  ['unspecified', '::'],
  ['loopback', '::1'],
  ['IPv4-mapped', '::ffff:127.0.0.1'],
  ['IPv4-mapped, in hexadecimal', '::ffff:7f00:1'],
  ['IPv4-compatible', '::127.0.0.1'],
  ['NAT64', '64:ff9b::7f00:1'],
  ['NAT64 of one’s own', '64:ff9b:1::1'],
  ['6to4', '2002:7f00:1::1'],
  ['Teredo', '2001:0:7f00:1::1'],
  ['documentation', '2001:db8::1'],
  ['documentation', '3fff::1'],
  ['unique local', 'fc00::1'],
  ['metadata of a cloud within it', 'fd00:ec2::254'],
  ['link-local', 'fe80::1'],
  ['link-local with a zone', 'fe80::1%eth0'],
  ['site-local', 'fec0::1'],
  ['multicast', 'ff02::1'],
  ['discard', '100::1'],
  ['segment routing', '5f00::1'],
  ['not an address', 'localhost'],
  ['nothing', ''],
] as const

describe('an address is not public', () => {
  test.each(NOT_PUBLIC)('%s %s', (_why, address) => expect(isPublicAddress(address)).toBe(false))
})

describe('a URL is refused as it stands', () => {
  test.each([
    ['no address', 'https://['],
    ['plain http', 'http://example.com/'],
    ['another scheme', 'ftp://example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['user and password', 'https://user:pass@example.com/'],
    ['a fragment', 'https://example.com/#x'],
    ['another port', 'https://example.com:22/'],
    ['the database’s port', 'https://example.com:5432/'],
    ['loopback', 'https://127.0.0.1/'],
    ['loopback, short', 'https://127.1/'],
    ['loopback, decimal', 'https://2130706433/'],
    ['loopback, hexadecimal', 'https://0x7f000001/'],
    ['loopback, octal', 'https://0177.0.0.1/'],
    ['loopback in full-width digits', 'https://１２７.0.0.1/'],
    ['loopback of IPv6', 'https://[::1]/'],
    ['IPv4-mapped', 'https://[::ffff:10.0.0.1]/'],
    ['NAT64', 'https://[64:ff9b::a00:1]/'],
    ['metadata', 'https://169.254.169.254/latest/meta-data/'],
  ])('%s: %s', (_why, text) => {
    expect(refusalOfUrl(text, { allowPrivate: false })).not.toBeNull()
  })

  test.each(['https://example.com/hook?a=b', 'https://example.com:8443/', 'https://1.1.1.1/'])(
    'and %s is not',
    (text) => expect(refusalOfUrl(text, { allowPrivate: false })).toBeNull(),
  )

  test.each([
    ['http://127.0.0.1:8080/', null],
    ['http://localhost:3000/', null],
    ['http://10.0.0.1/', 'must begin with https://'],
    ['http://127.0.0.1.example.com/', 'must begin with https://'],
  ])('for development plain http leads to loopback only: %s', (text, refusal) =>
    expect(refusalOfUrl(text, { allowPrivate: true })).toBe(refusal),
  )
})

describe('at the moment of connecting', () => {
  const leadingTo = (...addresses: string[]) =>
    createPostOutside({
      allowPrivate: false,
      timeoutMs: 60_000,
      resolve: (_hostname, done) =>
        done(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    })

  test.each(NOT_PUBLIC.filter(([why]) => why !== 'nothing'))(
    'a name that leads to %s %s is not called',
    async (_why, address) => {
      const posted = await leadingTo(address)('https://rebound.example.com/', {}, '{}')
      expect(posted).toMatchObject({ status: null, failure: 'address_refused' })
    },
  )

  test('a name with one good and one bad address is not called: the next try could choose the bad one', async () => {
    const posted = await leadingTo('93.184.216.34', '127.0.0.1')('https://rebound.example.com/', {}, '{}')
    expect(posted.failure).toBe('address_refused')
  })

  test('a name that answered well before and badly now is not called, and nobody is connected to', async () => {
    const there = await receiver()
    const { port, pathname } = new URL(there.url)
    // The test can listen on loopback only, so here one address of it is called bad.
    const answers = ['127.0.0.1', '127.0.0.2']
    const lookup = guardedLookup(
      (address) => address !== '127.0.0.2',
      (_hostname, done) => done(null, [{ address: answers.shift() ?? '', family: 4 }]),
    )
    const call = () =>
      new Promise((resolve, reject) => {
        request(`http://rebound.example.com:${port}${pathname}`, { agent: false, lookup })
          .once('response', (response) => resolve(response.resume().statusCode))
          .once('error', reject)
          .end()
      })
    expect(await call()).toBe(200)
    await expect(call()).rejects.toThrow(AddressRefused)
    expect(there.received).toHaveLength(1)
  })

  test('each request asks anew: no answer, and no connection, is kept for the next', async () => {
    const asked: string[] = []
    const post = createPostOutside({
      allowPrivate: false,
      resolve: (hostname, done) => {
        asked.push(hostname)
        done(null, [{ address: '127.0.0.1', family: 4 }])
      },
    })
    await post('https://one.example.com/', {}, '{}')
    await post('https://one.example.com/', {}, '{}')
    expect(asked).toEqual(['one.example.com', 'one.example.com'])
  })
})

describe('an answer', () => {
  const post = createPostOutside({ allowPrivate: true, timeoutMs: 60_000 })
  const hastyPost = createPostOutside({ allowPrivate: true, timeoutMs: 300 })

  test('that redirects is not followed', async () => {
    const [there, elsewhere] = [await receiver(), await receiver()]
    there.answer = (_received, response) => response.writeHead(307, { location: elsewhere.url }).end()
    expect(await post(there.url, {}, '{}')).toMatchObject({ status: 307, failure: null })
    expect(elsewhere.received).toEqual([])
  })

  test('that changes to another protocol is an answer like any other, and holds nobody up', async () => {
    const there = await receiver()
    there.answer = (_received, response) =>
      void response.socket?.write(
        'HTTP/1.1 101 Switching Protocols\r\nupgrade: other\r\nconnection: upgrade\r\n\r\n',
      )
    expect(await post(there.url, {}, '{}')).toMatchObject({ status: 101, failure: null })
  })

  test.each(['099 Odd', '000 None'])('of the status %s is none: the connection failed', async (status) => {
    const there = await receiver()
    there.answer = (_received, response) => {
      response.socket?.end(`HTTP/1.1 ${status}\r\ncontent-length: 2\r\n\r\nno`)
    }
    expect(await post(there.url, {}, 'x')).toMatchObject({ status: null, failure: 'connection_failed' })
  })

  test('that has no end is cut at 16 KiB', async () => {
    const there = await receiver()
    there.answer = (_received, response) => {
      const more = () => response.destroyed || response.write('x'.repeat(4_096), () => setImmediate(more))
      more()
    }
    const { status, responseBody } = await post(there.url, {}, '{}')
    expect([status, responseBody.length]).toEqual([200, 16_384])
  })

  test.each([
    ['that never comes', () => {}],
    ['whose body never ends', (response: { write(text: string): void }) => response.write('x')],
  ])('%s is waited for so long and no longer', async (_what, answer) => {
    const there = await receiver()
    there.answer = (_received, response) => void answer(response)
    expect((await hastyPost(there.url, {}, '{}')).failure).toBe('timeout')
  })

  test('that does not come for want of a server is a failure and no exception', async () => {
    expect(await post('http://127.0.0.1:9/', {}, '{}')).toMatchObject({ failure: 'connection_failed' })
    expect(await hastyPost('https://nowhere.invalid/', {}, '{}')).toMatchObject({ status: null })
  })
})
