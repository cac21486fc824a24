/** For this room's tests: the whole program, and a person of each role in it. */
import { runningApp } from '#test/running-app'
import type { RunningApp } from '#test/running-app'

type Headers = Record<string, string>

export interface AdminFixture extends RunningApp {
  /** Signs up and gives what their browser sends from then on. */
  signUp(handle: string): Promise<Headers>
  setRole(handle: string, role: 'customer' | 'support' | 'admin'): Promise<void>
  ask(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    path: string,
    headers: Headers,
    payload?: object,
  ): Promise<{ status: number; body: Record<string, unknown> }>
  /** What the audit log says was done by somebody in the back office, oldest first. */
  acts(): Promise<{ act: string; actor: string | null; detail: unknown }[]>
}

export async function adminFixture(): Promise<AdminFixture> {
  const app = await runningApp()
  const ask: AdminFixture['ask'] = async (method, path, headers, payload) => {
    const answer = await app.http.inject({
      method,
      url: `/api/v1${path}`,
      headers,
      ...(payload === undefined ? {} : { payload }),
    })
    return { status: answer.statusCode, body: answer.body === '' ? {} : answer.json() }
  }
  return {
    ...app,
    ask,
    signUp: async (handle) => {
      const answer = await app.http.inject({
        method: 'POST',
        url: '/api/v1/auth/sign-up',
        payload: {
          email: `${handle}@example.com`,
          password: 'kobyla ma maly bok 77',
          name: 'Anna Nowak',
          handle,
          baseCurrency: 'PLN',
        },
      })
      if (answer.statusCode !== 201) throw new Error(`sign-up answered ${answer.body}`)
      return { cookie: answer.cookies.map(({ name, value }) => `${name}=${value}`).join('; ') }
    },
    setRole: async (handle, role) => {
      await app.database.ownerDb.query('update identity.customers set role = $2 where handle = $1', [
        handle,
        role,
      ])
    },
    acts: async () => {
      const { rows } = await app.database.ownerDb.query<{
        act: string
        actor: string | null
        detail: unknown
      }>(
        `select log.act, people.handle as actor, log.detail
           from identity.audit_log as log left join identity.customers as people on people.id = log.actor_id
          where log.act ^@ 'job_' or log.act ^@ 'role_' or log.act ^@ 'dead_letter_' order by log.id`,
      )
      return rows
    },
  }
}
