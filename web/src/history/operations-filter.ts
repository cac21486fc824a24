import type { OperationsFilter } from '#api'
import { KINDS } from './describe.ts'

/** The filter as the address keeps it: days instead of moments, so that a link means the same tomorrow. */
export interface FilterForm {
  q: string
  kind: string
  asset: string
  counterparty: string
  from: string
  to: string
  amountMin: string
  amountMax: string
}

export const EMPTY_FILTER: FilterForm = {
  q: '',
  kind: '',
  asset: '',
  counterparty: '',
  from: '',
  to: '',
  amountMin: '',
  amountMax: '',
}
const NAMES = Object.keys(EMPTY_FILTER) as (keyof FilterForm)[]
const DAY = /^\d{4}-\d{2}-\d{2}$/
const HANDLE = /^@?[a-z][a-z0-9_]{2,23}$/

export function filterOf(query: Record<string, unknown>): FilterForm {
  const form = { ...EMPTY_FILTER }
  for (const name of NAMES) {
    const value = query[name]
    if (typeof value === 'string') form[name] = value
  }
  return form
}

export function queryOf(form: FilterForm): Record<string, string> {
  return Object.fromEntries(
    NAMES.map((name) => [name, form[name].trim()]).filter(([, value]) => value !== ''),
  )
}

/** Midnight where the customer is: of that day, or of the one after it. */
function midnight(day: string, daysLater = 0): string | undefined {
  if (!DAY.test(day)) return undefined
  const date = new Date(`${day}T00:00:00`)
  if (Number.isNaN(date.getTime())) return undefined
  date.setDate(date.getDate() + daysLater)
  return date.toISOString()
}

/** What is asked of the server. Half-typed values are left out instead of being refused at every letter. */
export function requestOf(form: FilterForm): OperationsFilter {
  const kind = KINDS.find((known) => known === form.kind)
  const from = midnight(form.from)
  const to = midnight(form.to, 1)
  const counterparty = form.counterparty.trim().toLowerCase()
  const q = form.q.trim()
  return {
    ...(kind && { kind }),
    ...(form.asset && { asset: form.asset }),
    ...(HANDLE.test(counterparty) && { counterparty }),
    ...(from && { from }),
    ...(to && { to }),
    ...(form.asset && form.amountMin && { amountMin: form.amountMin }),
    ...(form.asset && form.amountMax && { amountMax: form.amountMax }),
    ...(q && { q }),
  }
}

/** How many filters are set beside the search, for the number on the button. */
export const filterCount = (form: FilterForm) =>
  NAMES.filter((name) => name !== 'q' && form[name] !== '').length
