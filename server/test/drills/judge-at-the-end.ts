import { auditLedger } from '#test/auditor'
import { auditRules } from '#test/rules-auditor'
import { stopCleanly } from './fleet.ts'
import { judgeAnswers, judgeOrigins } from './judge-answers.ts'
import { countTold, judgeDrained, judgeTold } from './judge-events.ts'
import { judgeExport } from './judge-export.ts'
import { judgeBalances } from './judge-ledger.ts'
import { countRuns, judgeDue, judgeRuleNews } from './judge-rules.ts'
import { judgeWallets } from './judge-wallets.ts'
import { passTime } from './pass-time.ts'
import { runProgram } from './program.ts'
import type { Drill } from './replicas.ts'

/** All of I1 to I11, once nobody asks for anything any more. The fleet is stopped on the way, role by role. */
export async function judgeAtTheEnd({ site, fleet, load, report, broker }: Drill): Promise<void> {
  const { owner } = site
  const note = (found: readonly string[]) => found.forEach((sentence) => report.wrong.add(sentence))
  await passTime(owner)
  const now = new Date()
  note(await judgeDue(owner, now))
  // What was posted by now is on its way; the workers, which publish it, go on posting until they are stopped.
  note((await broker?.judge(owner)) ?? [])
  note(await stopCleanly(fleet.workers))
  // From here on nothing moves, so that one thing can be read after the other.
  note(await judgeDrained(owner))
  note(await stopCleanly(fleet.consumers))
  note(await judgeTold(owner))
  note(await judgeBalances(owner))
  const answers = () => load.answers.read(0, load.answers.end())
  note(await judgeAnswers(owner, answers()))
  note(await judgeOrigins(owner, answers()))
  note((await auditRules(owner, now)).wrong)
  note(await judgeRuleNews(owner))
  const [here, there] = fleet.apis
  const { wrong, wallets } = await judgeWallets(owner, here.origin, load.customers)
  const elsewhere = await judgeWallets(owner, there.origin, load.customers)
  note([...wrong, ...elsewhere.wrong])
  if (JSON.stringify(wallets) !== JSON.stringify(elsewhere.wallets))
    note(['two replicas show the same customers other wallets'])
  note(await stopCleanly(fleet.apis))
  const exported = await judgeExport(site, owner, wallets)
  note(exported.wrong)
  report.judgedBy.push(...exported.judgedBy)
  report.notJudgedBy.push(...exported.missing)
  note((await auditLedger(owner)).map((sentence) => `I11 ${sentence}`))
  await runProgram(['verify'], site.environment, site.directory).catch((error: unknown) =>
    note([`I11 ${String(error)}`]),
  )
  report.told = await countTold(owner)
  report.runs = await countRuns(owner)
  report.published = broker?.count() ?? 0
  report.judgements += 1
}
