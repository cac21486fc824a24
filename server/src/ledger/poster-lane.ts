import {
  DatabaseUnavailable,
  isServerError,
  OutcomeUnknown,
  type ConnectionOptions,
  type NamedStatement,
} from '#db'
import { lockStatements, readState, readStatements, sealBatch, verdictsOf } from './batch.ts'
import { ConnectionLost, openConnection, type PosterConnection } from './connection.ts'
import { decide } from './decide.ts'
import type { KnownAccounts } from './known-accounts.ts'
import type { PreparedCommand } from './prepare-command.ts'
import { lockChainHead } from './statements.ts'
import type { Verdict } from './types.ts'

const BEGIN: NamedStatement = { name: 'ledger_begin', text: 'begin' }
const COMMIT: NamedStatement = { name: 'ledger_commit', text: 'commit' }
const ROLLBACK: NamedStatement = { name: 'ledger_rollback', text: 'rollback' }

interface LaneOptions extends ConnectionOptions {
  clock: () => Date
}

/** A batch in flight: one connection, one transaction after the other, three round trips each. */
export class PosterLane {
  readonly #options: LaneOptions
  readonly #known: KnownAccounts
  #connection: PosterConnection | null = null

  constructor(options: LaneOptions, known: KnownAccounts) {
    this.#options = options
    this.#known = known
  }

  async close(): Promise<void> {
    await this.#connection?.close()
  }

  /**
   * Posts the commands in one transaction.
   * @throws DatabaseUnavailable when nothing was committed, OutcomeUnknown when the connection broke at COMMIT, the
   *   server's own error when it refused, in which case it has rolled back.
   */
  async post(commands: PreparedCommand[]): Promise<Verdict[]> {
    const connection = await this.#connect()
    const progress = { committing: false }
    try {
      return await this.#transact(connection, commands, progress)
    } catch (error) {
      await this.#abandon(connection, error)
      if (isServerError(error)) throw error
      if (progress.committing) throw new OutcomeUnknown('the connection broke at COMMIT', { cause: error })
      if (!(error instanceof ConnectionLost)) throw error
      throw new DatabaseUnavailable('the connection broke before COMMIT', { cause: error })
    }
  }

  async #connect(): Promise<PosterConnection> {
    if (this.#connection?.broken() === false) return this.#connection
    try {
      this.#connection = await openConnection(this.#options)
      return this.#connection
    } catch (cause) {
      throw new DatabaseUnavailable('no connection to the database', { cause })
    }
  }

  async #transact(
    connection: PosterConnection,
    commands: PreparedCommand[],
    progress: { committing: boolean },
  ): Promise<Verdict[]> {
    const opens = commands.flatMap((command) => this.#known.unknownOf(command.opens))
    const accountIds = commands.flatMap((command) => command.accountIds)
    const state = await readState(connection.run, [
      BEGIN,
      ...lockStatements(accountIds, opens),
      ...readStatements(commands),
    ])
    this.#known.requireThere(accountIds.filter((id) => !state.accounts.has(id)))
    const decision = decide({ ...state, now: this.#options.clock() }, commands)
    if (decision.journals.length === 0) {
      await connection.run([ROLLBACK])
      return verdictsOf(decision, null)
    }
    // Lock order, last part: only now, so that another batch may be judged while this one commits.
    const { head } = await readState(connection.run, [lockChainHead()])
    const sealed = sealBatch(decision, head, this.#options.clock())
    progress.committing = true
    const results = await connection.run([...sealed.statements, COMMIT])
    // A failed statement has thrown already; this is the second guard, against a server that says otherwise.
    if (results.at(-1)?.command !== 'COMMIT') throw new Error('COMMIT was answered with something else')
    this.#known.remember(opens.filter((id) => state.accounts.has(id)))
    return verdictsOf(decision, sealed)
  }

  /** A living server has rolled back or is told to; a connection that failed otherwise is never used again. */
  async #abandon(connection: PosterConnection, error: unknown): Promise<void> {
    if (isServerError(error)) {
      const rolledBack = await connection.run([ROLLBACK]).then(
        () => true,
        () => false,
      )
      if (rolledBack) return
    }
    connection.destroy()
    this.#connection = null
  }
}
