import type { SeededRandom } from '#test/seeded-random'
import { ask, codeOf, meansAskAgain, type Answer } from './ask.ts'
import {
  conversionOf,
  depositOf,
  isRuleKind,
  orderOf,
  quoteRequestOf,
  RULE_KINDS,
  TICKERS,
  transferOf,
  type Command,
} from './commands.ts'
import { signUp, type Customer } from './customers.ts'
import type { AnswerLog } from './answer-log.ts'
import {
  answeredOf,
  invocationOf,
  invoke,
  nameOfCommand,
  repeat,
  type Callers,
  type Invocation,
} from './invocations.ts'
import {
  certainlyDueOf,
  conversionOrderOf,
  priceAlertOf,
  recurringConversionOf,
  RULE_PATHS,
  standingOrderOf,
} from './rule-commands.ts'

export interface Load {
  readonly customers: Customer[]
  /** Under way, or without a final answer. */
  readonly open: Set<Invocation>
  /** Of all others. */
  readonly answers: AnswerLog
  readonly counts: { ok: number; refused: number }
  /** Reads that were answered. */
  reads: number
}

export interface LoadOptions extends Callers {
  readonly random: SeededRandom
  readonly customersMax: number
  readonly callersAtOnce: number
  /** Ends the load; what is in flight is answered first. */
  readonly over: AbortSignal
}

/** Hashing a password is slow on purpose. */
const SIGN_UPS_AT_ONCE = 2

/** The customers that there are from the beginning. */
export async function signUpFirst(load: Load, count: number, options: Joining): Promise<void> {
  const row = async () => {
    while (load.customers.length < count) await join(load, options)
  }
  await Promise.all(Array.from({ length: SIGN_UPS_AT_ONCE }, row))
}

/** Customers who sign up, pay, convert, trade and look, all at once, until it is over. */
export async function runLoad(load: Load, options: LoadOptions): Promise<void> {
  const { random, callersAtOnce, over } = options
  const caller = async () => {
    // Whatever else there is time for, there are rules that fall due.
    const first = random.pick(load.customers)
    await command(load, options, certainlyDueOf(random, first, someOther(load, random, first)))
    while (!over.aborted) {
      if (load.customers.length < options.customersMax && random.next() < 0.005) await join(load, options)
      await step(load, options)
    }
  }
  await Promise.all(Array.from({ length: callersAtOnce }, caller))
}

type Joining = Pick<LoadOptions, 'balancer' | 'random'>

async function join(load: Load, { balancer, random }: Joining): Promise<void> {
  load.customers.push(await signUp(balancer, `c${load.customers.length}_${random.int(0, 9_999_999)}`))
}

async function step(load: Load, options: LoadOptions): Promise<void> {
  const { random } = options
  const customer = random.pick(load.customers)
  const dice = random.next()
  if (dice < 0.15) return look(load, options, customer)
  if (dice < 0.19) return cancelAnOrder(load, options, customer)
  if (dice < 0.21) return switchARule(load, options, customer)
  const wanted =
    dice < 0.25 ? await ruleOf(load, options, customer) : await moneyOf(load, options, customer, dice)
  if (wanted !== null) await command(load, options, wanted)
}

/** Asked for until it is answered; now and then looked for, and asked for again. */
async function command(load: Load, options: LoadOptions, wanted: Command): Promise<void> {
  const { random } = options
  const invocation = invocationOf(wanted)
  load.open.add(invocation)
  await invoke(options, invocation)
  noteAnswer(load, invocation)
  if (invocation.outcome !== 'ok') return
  if (random.next() < 0.1) await repeat(options, invocation)
  if (random.next() < 0.2) await findAgain(load, options, invocation)
}

/** Out of memory and into the log, once there is a final answer. */
export function noteAnswer(load: Load, invocation: Invocation): void {
  const answered = answeredOf(invocation)
  if (answered === null) return
  load.open.delete(invocation)
  load.counts[answered.outcome] += 1
  load.answers.add(answered)
}

async function moneyOf(
  load: Load,
  options: LoadOptions,
  customer: Customer,
  dice: number,
): Promise<Command | null> {
  const { random } = options
  if (dice < 0.38) return quoteFirst(options, customer)
  if (dice < 0.48) return orderOf(random, customer)
  if (dice < 0.53) return depositOf(random, customer)
  return transferOf(random, customer, someOther(load, random, customer))
}

function someOther({ customers }: Load, random: SeededRandom, than: Customer): Customer {
  return random.pick(customers.filter((other) => other !== than))
}

async function ruleOf(load: Load, options: LoadOptions, customer: Customer): Promise<Command | null> {
  const { random } = options
  const dice = random.next()
  if (dice < 0.25) return standingOrderOf(random, customer, someOther(load, random, customer))
  if (dice < 0.5) return recurringConversionOf(random, customer)
  if (dice < 0.75) return conversionOrderOf(random, customer)
  const ticker = random.pick(TICKERS)
  const answer = await read(load, options, customer, `/instruments/${ticker}`)
  const { price } = (answer?.body ?? { price: null }) as { price: { last: string } | null }
  return price === null ? null : priceAlertOf(random, customer, ticker, price.last)
}

/** Ended; or paused, or resumed, where that makes no date pass that would have to be known of. */
async function switchARule(load: Load, options: LoadOptions, customer: Customer): Promise<void> {
  const { random, balancer, wrong } = options
  const { cookie } = customer
  const kind = random.pick(RULE_KINDS)
  const list = await read(load, options, customer, `${RULE_PATHS[kind]}?status=open&limit=20`)
  const { items } = (list?.body ?? { items: [] }) as { items: { id: string; status: string }[] }
  if (items.length === 0) return
  const { id, status } = random.pick(items)
  const path = `${RULE_PATHS[kind]}/${id}`
  const waitsForValue = kind === 'conversion-order' || kind === 'price-alert'
  const answer =
    waitsForValue && random.next() < 0.6
      ? await ask(balancer.next(), {
          method: 'PATCH',
          path,
          cookie,
          body: { status: status === 'active' ? 'paused' : 'active' },
        })
      : await ask(balancer.next(), { method: 'DELETE', path, cookie })
  if (meansAskAgain(answer) || answer.status < 300) return
  // Another caller, or its run, was first; or what it waits for is there already, or over.
  if (!SWITCHED_TOO_LATE.has(codeOf(answer)))
    wrong(`switching a rule was answered with ${answer.status} ${codeOf(answer)}`)
}

const SWITCHED_TOO_LATE = new Set(['rule_ended', 'schedule_over', 'alert_met_already', 'rate_unknown'])

/** The quote is made on one replica, and used on any. */
async function quoteFirst(
  { balancer, random, wrong }: LoadOptions,
  customer: Customer,
): Promise<Command | null> {
  const answer = await ask(balancer.next(), {
    method: 'POST',
    path: '/conversion-quotes',
    body: quoteRequestOf(random),
    cookie: customer.cookie,
  })
  if (meansAskAgain(answer)) return null
  if (answer.status !== 201) {
    if (answer.status >= 500 && answer.status !== 503) wrong(`a quote was answered with ${answer.status}`)
    return null
  }
  return conversionOf(customer, (answer.body as { id: string }).id)
}

async function cancelAnOrder(load: Load, options: LoadOptions, customer: Customer): Promise<void> {
  const { cookie } = customer
  const list = await read(load, options, customer, '/orders?status=open&limit=5')
  const [order] = (list?.body as { items: { id: string }[] } | undefined)?.items ?? []
  if (order === undefined) return
  const answer = await ask(options.balancer.next(), { method: 'DELETE', path: `/orders/${order.id}`, cookie })
  if (meansAskAgain(answer) || answer.status < 300) return
  // Another caller, or the engine, was first.
  if (codeOf(answer) !== 'order_not_open')
    options.wrong(`cancelling was answered with ${answer.status} ${codeOf(answer)}`)
}

const PAGES = ['/wallet', '/operations?limit=30', '/orders', '/positions', '/rates?base=EUR', '/me']

async function look(load: Load, options: LoadOptions, customer: Customer): Promise<void> {
  await read(load, options, customer, options.random.pick(PAGES))
}

async function read(
  load: Load,
  { balancer, wrong }: LoadOptions,
  { cookie }: Customer,
  path: string,
): Promise<Answer | null> {
  const answer = await ask(balancer.next(), { method: 'GET', path, cookie })
  if (meansAskAgain(answer)) return null
  if (answer.status !== 200) wrong(`GET ${path} was answered with ${answer.status} ${codeOf(answer)}`)
  load.reads += 1
  return answer
}

const PAGE = 100

/** I10: whoever was told that it is done finds it, on any replica: in the list and by itself. */
async function findAgain(load: Load, options: LoadOptions, invocation: Invocation): Promise<void> {
  const { command, id } = invocation
  const path = isRuleKind(command.kind) ? command.path : command.kind === 'order' ? '/orders' : '/operations'
  const one = await read(load, options, command.customer, `${path}/${id}`)
  if (one !== null && (one.body as { id?: string }).id !== id)
    options.wrong(`${nameOfCommand(command)} is not found`)
  const list = await read(load, options, command.customer, `${path}?limit=${PAGE}`)
  if (list === null) return
  const { items } = list.body as { items: { id: string }[] }
  // A full page may begin after it.
  if (items.length < PAGE && !items.some((item) => item.id === id))
    options.wrong(`${nameOfCommand(command)} is not in the list right after its answer`)
}
