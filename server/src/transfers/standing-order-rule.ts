import { ruleSchedule } from '@kantor/contract/api'
import { Problem } from '@kantor/contract/errors'
import type { Database, Tx } from '#db'
import { customersByNumbers } from '#identity'
import type { Ledger, PostCommand, Verdict } from '#ledger'
import { defineRule, markOf } from '#rules'
import type { DefinedRule } from '#rules'
import { readAmount, refusalProblem } from '#wallets'
import type { AssetBook, WalletAsset } from '#wallets'
import { z } from 'zod'
import { postWithLots, Undone } from './post-shares.ts'
import type { MoveHoldings } from './post-shares.ts'
import { transferCommand } from './send-transfer.ts'

/**
 * To a wallet and in an asset, not to a handle and in a code: those can be given up and taken by others, and money
 * must not follow the old sign.
 */
export const standingOrderDefinition = z.object({
  payeeWalletId: z.string().regex(/^[1-9][0-9]*$/),
  assetId: z.int(),
  amount: z.string(),
  note: z.string().nullable(),
  schedule: ruleSchedule,
})
export type StandingOrderDefinition = z.infer<typeof standingOrderDefinition>

export interface StandingOrderDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly moveHoldings: MoveHoldings
}

const WEEK_SECONDS = 7 * 86_400

/**
 * A transfer on a date, or every week or month. After an outage each missed one is made, up to a week late, as a bank
 * would: each is owed. Older ones are written down as missed, since who is paid may have been paid otherwise since.
 */
export function standingOrderRule(deps: StandingOrderDeps): DefinedRule<StandingOrderDefinition> {
  return defineRule({
    name: 'standing-order',
    definition: standingOrderDefinition,
    movesValue: true,
    lateness: { secondsMax: WEEK_SECONDS, missed: 'each' },
    timing: ({ schedule }) => ({ schedule }),
    prepare: async ({ walletId, definition }) => {
      const { amount, note } = definition
      const payeeWalletId = BigInt(definition.payeeWalletId)
      if (!(await customersByNumbers(deps.db, [payeeWalletId])).has(payeeWalletId)) {
        throw new Problem('payee_not_found')
      }
      const asset = await deps.assets.byId(definition.assetId)
      const { assetId, minor } = readAmount(asset, amount, 'amount')
      return {
        outcome: 'ready',
        execute: async (tx, run) => {
          const detail = { ...(note === null ? {} : { note }), rule: markOf(run) }
          const { key, requestHash } = run
          const moved = { walletId, payeeWalletId, assetId, minor }
          const verdict = await post(deps, tx, asset, transferCommand(moved, { key, requestHash, detail }))
          if (verdict.outcome === 'refused') throw refusalProblem(verdict.reason)
          return { journalId: verdict.journal.id }
        },
      }
    },
  })
}

async function post(
  { ledger, moveHoldings }: StandingOrderDeps,
  tx: Tx,
  { kind }: WalletAsset,
  command: PostCommand,
): Promise<Verdict> {
  if (kind === 'instrument') {
    return postWithLots(ledger, tx, command, moveHoldings).catch((error: unknown) => {
      if (error instanceof Undone && error.verdict.outcome === 'refused') return error.verdict
      throw error
    })
  }
  const [verdict] = await ledger.postWithin(tx, [command])
  if (verdict === undefined) throw new Error('a command without a verdict')
  return verdict
}
