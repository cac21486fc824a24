/**
 * The thread that judges passwords. A judgement takes 5 to 40 ms, and for a hostile password of 128 characters
 * 180 ms (over a second with the library's own bounds): on the event loop one sign-up would hold up everybody.
 */
import { parentPort } from 'node:worker_threads'
import { ZxcvbnFactory } from '@zxcvbn-ts/core'
import { adjacencyGraphs, dictionary as common } from '@zxcvbn-ts/language-common'
import { dictionary as english, translations } from '@zxcvbn-ts/language-en'
import { dictionary as polish } from '@zxcvbn-ts/language-pl'

export interface StrengthQuestion {
  readonly id: number
  readonly password: string
  readonly personalWords: readonly string[]
}

export interface StrengthAnswer {
  readonly id: number
  /** 0 to 4; see the estimator's "score". */
  readonly score: number
  /** What is wrong and what would be better, in English. */
  readonly advice: readonly string[]
}

const LENGTH_JUDGED_MAX = 128
/** Of 100 in the library: readings of `4@8({[` as letters that are tried. 1,200 ms at the worst became 180. */
const LOOKALIKE_READINGS_MAX = 16

const estimator = new ZxcvbnFactory({
  dictionary: { ...common, ...english, ...polish },
  graphs: adjacencyGraphs,
  translations,
  maxLength: LENGTH_JUDGED_MAX,
  l33tMaxSubstitutions: LOOKALIKE_READINGS_MAX,
})

parentPort?.on('message', ({ id, password, personalWords }: StrengthQuestion) => {
  const { score, feedback } = estimator.check(password, [...personalWords])
  const advice = [feedback.warning, ...feedback.suggestions].filter((line) => typeof line === 'string')
  parentPort?.postMessage({ id, score, advice } satisfies StrengthAnswer, [])
})
