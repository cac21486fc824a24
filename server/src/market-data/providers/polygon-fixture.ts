import type { FakeAnswer } from './fake-feed.ts'
import type { PolygonAccess } from './polygon-request.ts'
import type { RequestBudget, RequestPlan } from './request-budget.ts'

export const KEY = 'k3y-that-must-not-leak'

/** A budget without an end that remembers what was done to it. */
export interface OpenBudget extends RequestBudget {
  taken: number
  blocks: (number | null)[]
  plans: RequestPlan[]
}

export function openBudget(): OpenBudget {
  const budget: OpenBudget = {
    taken: 0,
    blocks: [],
    plans: [],
    take: async () => {
      budget.taken += 1
    },
    block: async (seconds) => {
      budget.blocks.push(seconds)
      return new Date(0)
    },
    unblock: async () => {},
    plan: async () => budget.plans.at(-1) ?? { requestsMax: 5, windowSeconds: 61 },
    setPlan: async (plan) => {
      budget.plans.push(plan)
    },
  }
  return budget
}

export function accessTo(url: string, budget: RequestBudget = openBudget()): PolygonAccess {
  return { url, apiKey: KEY, budget, deadlineSeconds: 5 }
}

export function json(body: unknown, status = 200, headers: Record<string, string> = {}): FakeAnswer {
  return { status, headers, body: typeof body === 'string' ? body : JSON.stringify(body) }
}
