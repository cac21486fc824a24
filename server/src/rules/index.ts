/** The rules room's door: what customers want done later, executed once each. It knows no kind. See README.md. */
export { ruleStateBody } from './keep-rules.ts'
export type { KeepDeps } from './keep-rules.ts'
export { ruleRoutes } from './routes.ts'
export type { RuleApi } from './routes.ts'
export { defineRule, markOf } from './rule.ts'
export type {
  AnyRuleKind,
  DefinedRule,
  Done,
  Prepared,
  Rule,
  RuleMark,
  RuleNews,
  RunName,
  TellOwner,
  Timing,
  Trigger,
} from './rule.ts'
export { runsOfPastYear, yearBefore } from './schedule.ts'
export { createRuleScheduler } from './scheduler.ts'
export type { RuleScheduler, SchedulerDeps } from './scheduler.ts'
