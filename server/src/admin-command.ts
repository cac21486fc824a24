import { userInfo } from 'node:os'
import type { Config } from '#config'
import { checkMigrated, openDatabase } from '#db'
import type { Database } from '#db'
import { changeRole, listStaff } from '#identity'
import { CommandError, parseCommand, reachForCommand } from './command-line.ts'

const USAGE = 'Say `admin grant WHO`, `admin revoke WHO` (a handle or an e-mail address) or `admin list`.'

type Order = { readonly act: 'list' } | { readonly act: 'grant' | 'revoke'; readonly who: string }

function parseOrder(args: string[]): Order {
  const { positionals } = parseCommand(args, {}, { words: true })
  const [act, who, ...rest] = positionals
  if (act === 'list' && who === undefined) return { act }
  if ((act === 'grant' || act === 'revoke') && who !== undefined && rest.length === 0) return { act, who }
  throw new CommandError(USAGE)
}

/**
 * `npm run admin -- grant ania`: who may see the back office is decided on the machine, as the database's owner, so
 * that there is a first one, and so that nobody who gets into the program can make another. Works while it runs:
 * sessions are asked about at every request.
 */
export async function adminCommand(config: Config, args: string[], clock: () => Date): Promise<number> {
  const order = parseOrder(args)
  const database = await reachForCommand(config)
  try {
    const db = openDatabase({
      url: database.url,
      connectionsMax: 1,
      applicationName: 'kantor-admin',
      role: null,
      random: Math.random,
    })
    try {
      await checkMigrated(db).catch((cause: unknown) => {
        throw new CommandError('Start this version of Kantor here once, then sign up, then try again.', {
          cause,
        })
      })
      if (order.act === 'list') await printStaff(db)
      else await obey(db, order, clock())
      return 0
    } finally {
      await db.close()
    }
  } finally {
    await database.stop()
  }
}

async function printStaff(db: Database): Promise<void> {
  const staff = await listStaff(db)
  for (const { role, handle, email } of staff) console.log(`${role} @${handle} ${email}`)
  if (staff.length === 0) console.log('There is no admin yet.')
}

async function obey(
  db: Database,
  { act, who }: { act: 'grant' | 'revoke'; who: string },
  now: Date,
): Promise<void> {
  const role = act === 'grant' ? 'admin' : 'customer'
  const done = await changeRole(db, { who, role, now, by: `${userInfo().username}, npm run admin` })
  if (done === null) throw new CommandError(`Nobody here is called ${who}. They have to sign up first.`)
  const word = role === 'admin' ? 'an admin' : 'no admin'
  console.log(`@${done.handle} is ${done.changed ? `now ${word}` : `${word} already`}.`)
}
