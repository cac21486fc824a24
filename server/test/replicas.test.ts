import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { ask, codeOf, type Answer, type Question } from './drills/ask.ts'
import { createBalancer } from './drills/balancer.ts'
import { signUp, type Customer } from './drills/customers.ts'
import { createProgram, runProgram, type Program } from './drills/program.ts'
import { openSite, type Site } from './drills/site.ts'
import { faultProxy } from './fault-proxy.ts'
import { seededRandom } from './seeded-random.ts'

// The roles as an operator runs them: real processes on one database.

let site: Site
let [first, second, worker, otherWorker]: Program[] = []
const started: Program[] = []

async function startRole(
  role: string,
  name: string,
  environment: Record<string, string> = {},
): Promise<Program> {
  const program = await createProgram({
    name,
    environment: { ...site.environment, RATE_LIMITS: 'on', ROLE: role, ...environment },
    directory: site.directory,
  })
  started.push(program)
  await program.start()
  return program
}

beforeAll(async () => {
  site = await openSite({ serverUrl: inject('serverUrl'), amqpUrl: null })
  await site.migrate()
  ;[first, second, worker, otherWorker] = await Promise.all([
    startRole('api', 'api-1'),
    startRole('api', 'api-2'),
    startRole('worker', 'worker-1'),
    startRole('worker', 'worker-2'),
  ])
})

afterAll(async () => {
  await Promise.all(started.map((program) => program.kill()))
  await site.close()
})

function of(program: Program | undefined): string {
  if (program === undefined) throw new Error('it was not started')
  return program.origin
}

async function answerOf(program: Program | undefined, question: Question): Promise<Answer> {
  const answer = await ask(of(program), question)
  if (answer === null) throw new Error(`${question.path} got no answer`)
  return answer
}

const newCustomer = (handle: string) => signUp(createBalancer([of(first)], seededRandom(1)), handle)
const statusAt = async (program: Program | undefined, path: string) =>
  (await fetch(of(program) + path)).status

describe('two API replicas behave as one', () => {
  let customer: Customer
  beforeAll(async () => {
    customer = await newCustomer('both')
  })
  const reads = (path: string) => ({ method: 'GET', path, cookie: customer.cookie }) as const

  test('a sign-up on one is signed in on the other, and there is one of it', async () => {
    expect((await answerOf(second, reads('/me'))).body).toMatchObject({ handle: 'both' })
    const again = {
      email: 'both@drill.example',
      password: 'quite another Password 7',
      name: 'Both',
      handle: 'both_again',
      baseCurrency: 'EUR',
    }
    const answer = await answerOf(second, { method: 'POST', path: '/auth/sign-up', body: again })
    expect(codeOf(answer)).toBe('email_taken')
  })

  test('signing out on one ends the session on the other at once', async () => {
    const gone = await newCustomer('gone')
    const me = { method: 'GET', path: '/me', cookie: gone.cookie } as const
    expect((await answerOf(second, me)).status).toBe(200)
    await answerOf(first, { method: 'POST', path: '/auth/sign-out', cookie: gone.cookie })
    expect((await answerOf(second, me)).status).toBe(401)
  })

  test('an API key that was revoked on one is refused by the other at once', async () => {
    const body = { name: 'program', scopes: ['read'] }
    const made = await answerOf(first, {
      method: 'POST',
      path: '/me/api-keys',
      body,
      cookie: customer.cookie,
    })
    const { id, key } = made.body as { id: string; key: string }
    const useKey = async () => {
      const reply = await fetch(`${of(second)}/api/v1/me`, { headers: { authorization: `Bearer ${key}` } })
      return reply.status
    }
    expect(await useKey()).toBe(200)
    await answerOf(first, { method: 'DELETE', path: `/me/api-keys/${id}`, cookie: customer.cookie })
    expect(await useKey()).toBe(401)
  })

  test('failed sign-ins are counted together', async () => {
    const body = { email: 'both@drill.example', password: 'a wrong guess 1' }
    const guess = (program: Program | undefined) =>
      answerOf(program, { method: 'POST', path: '/auth/sign-in', body })
    const statuses: number[] = []
    for (let time = 0; time < 3; time += 1)
      for (const program of [first, second]) statuses.push((await guess(program)).status)
    // Five are free for an account, wherever they were made.
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429])
    expect((await guess(first)).status).toBe(429)
  })

  test('a quote made on one can be used on the other, once', async () => {
    await expect.poll(async () => (await answerOf(second, reads('/rates?base=EUR'))).status).toBe(200)
    const request = { from: 'EUR', to: 'USD', fromAmount: '100.00' }
    const { cookie } = customer
    const made = await answerOf(first, { method: 'POST', path: '/conversion-quotes', body: request, cookie })
    expect(made.status).toBe(201)
    const body = { quoteId: (made.body as { id: string }).id }
    const use = (program: Program | undefined, key: string) =>
      answerOf(program, { method: 'POST', path: '/conversions', body, key, cookie })
    expect((await use(second, 'one')).status).toBe(201)
    expect(codeOf(await use(first, 'two'))).toBe('quote_used')
    const replay = await use(first, 'one')
    expect([replay.status, replay.headers.get('idempotency-replayed')]).toEqual([201, 'true'])
  })
})

test('rates and prices that a worker polls are seen by API processes, which poll none', async () => {
  const { cookie } = await newCustomer('looks')
  const read = async (path: string) => (await answerOf(second, { method: 'GET', path, cookie })).body
  await expect
    .poll(async () => ((await read('/rates?base=EUR')) as { items: unknown[] }).items.length, {
      timeout: 20_000,
    })
    .toBeGreaterThan(30)
  await expect
    .poll(async () => (await read('/instruments/AAPL')) as object)
    .toMatchObject({ ticker: 'AAPL', price: { last: expect.any(String) } })
  const { rows } = await site.owner.query<{ name: string }>(
    `select distinct application_name as name from pg_stat_activity
      where datname = current_database() and application_name in ('kantor-jobs', 'kantor-api', 'kantor-worker')`,
  )
  expect(rows.map(({ name }) => name).toSorted()).toEqual(['kantor-api', 'kantor-jobs', 'kantor-worker'])
  expect((await site.owner.query('select from jobs.runners')).rowCount).toBe(2)
})

test('every role says whether it is ready, and an orchestrator’s TERM ends it cleanly', async () => {
  for (const program of [first, second, worker, otherWorker]) {
    expect(await statusAt(program, '/health/ready')).toBe(200)
    expect(await statusAt(program, '/health/live')).toBe(200)
  }
  expect(await otherWorker?.stop()).toBe(0)
  expect((await site.owner.query('select from jobs.runners')).rowCount).toBe(1)
})

test('a process that is told to stop the moment it is ready ends cleanly too', async () => {
  for (const role of ['api', 'worker']) expect(await (await startRole(role, `brief-${role}`)).stop()).toBe(0)
})

test('a process whose database is away ends when it is told to, as cleanly', async () => {
  const proxy = await faultProxy(site.databaseUrl)
  const cut = await Promise.all(
    ['api', 'worker'].map((role) => startRole(role, `cut-${role}`, { DATABASE_URL: proxy.url })),
  )
  proxy.away()
  for (const program of cut)
    await expect.poll(() => statusAt(program, '/health/ready'), { timeout: 60_000 }).toBe(503)
  expect(await Promise.all(cut.map((program) => program.stop()))).toEqual([0, 0])
  await proxy.close()
})

describe('a release', () => {
  test('is migrated once: again does nothing, and two at once take turns', async () => {
    const environment = { ...site.environment, ROLE: 'migrate' }
    await Promise.all([1, 2].map(() => runProgram([], environment, site.directory)))
    expect(await statusAt(first, '/health/ready')).toBe(200)
  })

  test.each(['api', 'worker'])(
    'an older release in the role %s refuses a database that is newer',
    async (role) => {
      await site.owner.query(
        `insert into db.migrations (number, name, checksum) values (9999, '9999-later', '')`,
      )
      const refusal = startRole(role, `old-${role}`).catch(String)
      expect(await refusal).toContain(
        'The database is newer than this version of Kantor (it has 9999-later).',
      )
      await site.owner.query('delete from db.migrations where number = 9999')
    },
  )

  test('an api before its migration says what to run', async () => {
    const empty = await openSite({ serverUrl: inject('serverUrl'), amqpUrl: null })
    const refusal = startRole('api', 'early', { DATABASE_URL: empty.databaseUrl }).catch(String)
    expect(await refusal).toMatch(/kantor_app|Run this version once with ROLE=migrate/)
    await empty.close()
  })
})
