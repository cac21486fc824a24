import { Problem } from '@kantor/contract/errors'
import type { OrderRequest } from '@kantor/contract/api'
import { fitsInt8, INSTRUMENT_SCALE, parseAmount } from '@kantor/contract/money'
import type { Queryable } from '#db'
import { readPairExposure } from '#exchange'
import { accountId, balanceOf, PURPOSE } from '#ledger'
import type {
  Instrument,
  InstrumentBook,
  MarketHours,
  MarketSession,
  PriceBook,
  StockPrice,
} from '#market-data'
import { readAmount, requireAsset } from '#wallets'
import type { AssetBook, WalletAsset } from '#wallets'
import { converterOf, exposureOfFill } from './conversion-room.ts'
import { larger, smaller } from './order-maths.ts'
import { fillAt, reserveNeeded } from './order-state.ts'
import type { Settlement } from './order-state.ts'
import { newOrder } from './order.ts'
import type { Order } from './order.ts'
import { dealingPrice18, price18Of, textOfPrice } from './price18.ts'
import { settlementQuote } from './settlement-rate.ts'
import type { SettlementDeps, SettlementQuote } from './settlement-rate.ts'
import type { TradingSettings } from './settings.ts'

export interface JudgeDeps extends SettlementDeps {
  readonly db: Queryable
  readonly assets: AssetBook
  readonly instruments: InstrumentBook
  readonly prices: PriceBook
  readonly marketHours: MarketHours
  readonly settings: TradingSettings
  /** A UUIDv7. */
  readonly newId: () => string
}

/** An order that could be accepted, with what it was judged by. Acceptance gives it its time and its price's number. */
export interface JudgedOrder {
  readonly order: Order
  readonly instrument: Instrument
  readonly currency: WalletAsset
  readonly settle: WalletAsset
  readonly price: StockPrice
  /** What it would be dealt at now. */
  readonly price18: bigint
  readonly settlement: Exclude<Settlement, 'unknown'>
  readonly quote: SettlementQuote | null
  readonly session: MarketSession
}

const BPS = 10_000n
/** Limits and stops are said in millionths at most. */
const PRICE_SCALE_MAX = 6
const TO_18 = 10n ** BigInt(18 - PRICE_SCALE_MAX)

/**
 * Judges a request without keeping or locking anything. What it says of balances is not binding: the ledger judges
 * the reserve when it posts it.
 * @throws Problem of every refusal that POST /orders names but insufficient_funds and those of the key
 */
export async function judgeOrder(
  deps: JudgeDeps,
  walletId: bigint,
  request: OrderRequest,
): Promise<JudgedOrder> {
  const instrument = await requireInstrument(deps, request.instrument)
  const currency = await requireAsset(deps.assets, instrument.currency, 'instrument')
  const settle = await requireSettle(deps, request, currency)
  const price = requirePrice(deps.prices, instrument)
  const session = deps.marketHours.session(instrument.mic, deps.clock())
  requireDealable(request, session, price)
  const { quote, settlement } = await requireSettlement(deps, currency, settle)
  const price18 = dealingPrice18(request.side, price, deps.settings.halfSpreadBps)
  const amounts = amountsOf(request, settle)
  requireRightSide(deps.settings, request, amounts, { price18, last18: price18Of(price.last, 'down') })
  const draft = draftOf(deps, { walletId, request, instrument, currency, settle, price, session, amounts })
  const reserveMinor = await reserveOf(deps, draft, price18, settlement)
  const order = newOrder({ ...draft, reserveMinor })
  if (quote !== null) await requireRoom(deps, order, { quote, currency, settle, price18 })
  return { order, instrument, currency, settle, price, price18, settlement, quote, session }
}

async function requireInstrument(deps: JudgeDeps, reference: string): Promise<Instrument> {
  const instrument = await deps.instruments.byIdOrTicker(reference)
  if (instrument === null) {
    const errors = [{ path: 'instrument', message: 'is no instrument that is offered here' }]
    throw new Problem('instrument_not_found', { errors })
  }
  if (instrument.status === 'delisted') throw new Problem('instrument_delisted')
  const asset = await deps.assets.byId(instrument.id)
  if (asset.frozen) throw new Problem('asset_frozen')
  return instrument
}

/** A notional says by its currency what the order settles in; `settleIn` may say the same again. */
async function requireSettle(
  deps: JudgeDeps,
  request: OrderRequest,
  currency: WalletAsset,
): Promise<WalletAsset> {
  const { notional, settleIn } = request
  if (notional !== undefined && settleIn !== undefined && notional.asset !== settleIn) {
    const message = `must be ${notional.asset}, the notional's asset, or be left out`
    throw new Problem('invalid_request', { errors: [{ path: 'settleIn', message }] })
  }
  const path = notional === undefined ? 'settleIn' : 'notional.asset'
  const settle = await requireAsset(deps.assets, notional?.asset ?? settleIn ?? currency.code, path)
  if (settle.kind === 'instrument') {
    throw new Problem('unknown_asset', { errors: [{ path, message: 'must be a currency' }] })
  }
  if (settle.frozen || currency.frozen) throw new Problem('asset_frozen')
  return settle
}

function requirePrice(prices: PriceBook, { id }: Instrument): StockPrice {
  const price = prices.price(id)
  if (price.unknown) throw new Problem('price_unknown')
  if (price.stale) {
    const extensions = { ageSeconds: price.ageSeconds, priceAsOf: price.asOf.toISOString() }
    throw new Problem('prices_stale', { extensions })
  }
  return price
}

function requireDealable(request: OrderRequest, session: MarketSession, price: StockPrice): void {
  if (request.timeInForce !== 'ioc') return
  if (price.timeliness === 'endOfDay') throw new Problem('live_prices_required')
  if (!session.open)
    throw new Problem('market_closed', { extensions: { opensAt: session.opensAt.toISOString() } })
}

async function requireSettlement(
  deps: JudgeDeps,
  currency: WalletAsset,
  settle: WalletAsset,
): Promise<{ quote: SettlementQuote | null; settlement: Exclude<Settlement, 'unknown'> }> {
  if (currency.id === settle.id) return { quote: null, settlement: 'same' }
  const quote = await settlementQuote(deps, currency.code, settle.code)
  if (!('refused' in quote)) return { quote, settlement: { mid: quote.mid, marginBps: quote.marginBps } }
  if (quote.refused === 'unknown') throw new Problem('rate_unknown')
  throw new Problem('rates_stale', { extensions: { ageSeconds: quote.ageSeconds } })
}

/**
 * A conversion that the exchange would not offer by itself is none that a trade may make. What is dealt until the fill
 * is counted then; this refuses what could not be filled as it is.
 */
async function requireRoom(
  deps: JudgeDeps,
  order: Order,
  at: { quote: SettlementQuote; currency: WalletAsset; settle: WalletAsset; price18: bigint },
): Promise<void> {
  const { exposureCustomerMinor, exposureOverallMinor } = deps.exchangeSettings
  const converter = converterOf(order, at.quote)
  const fill = fillAt(order, order.reserveMinor, order.limit18 ?? order.stop18 ?? at.price18, at.quote)
  const exposure = fill === null ? 0n : exposureOfFill(deps.rates, order, fill, at)
  if (exposure === null) throw new Problem('rate_unknown')
  const held = await readPairExposure(deps.db, converter, [order.walletId])
  const own = held.own.get(order.walletId) ?? 0n
  if (own + exposure > exposureCustomerMinor || held.overall + exposure > exposureOverallMinor)
    throw new Problem('exposure_limit')
}

type Amounts = Pick<Order, 'quantity' | 'notionalMinor' | 'limit18' | 'stop18'>

function amountsOf(request: OrderRequest, settle: WalletAsset): Amounts {
  const { quantity, notional, limitPrice, stopPrice } = request
  return {
    quantity: quantity === undefined ? null : readQuantity(quantity),
    notionalMinor:
      notional === undefined ? null : readAmount(settle, notional.amount, 'notional.amount').minor,
    limit18: limitPrice === undefined ? null : readPrice(limitPrice, 'limitPrice'),
    stop18: stopPrice === undefined ? null : readPrice(stopPrice, 'stopPrice'),
  }
}

function readQuantity(text: string): bigint {
  return readPositive(text, INSTRUMENT_SCALE, 'quantity')
}

function readPrice(text: string, path: string): bigint {
  return readPositive(text, PRICE_SCALE_MAX, path) * TO_18
}

function readPositive(text: string, scale: number, path: string): bigint {
  const read = parseAmount(text, scale)
  if (read.ok && read.minor > 0n) return read.minor
  if (read.ok) throw new Problem('amount_not_positive', { errors: [{ path, message: 'must be above zero' }] })
  if (read.reason === 'too_large')
    throw new Problem('amount_too_large', { errors: [{ path, message: 'is too large' }] })
  const message = `must be a decimal number with at most ${scale} digits after the point`
  throw new Problem('invalid_request', { errors: [{ path, message }] })
}

/**
 * A limit that is met at once is a sensible order within a band, a slip of the finger beyond it. A stop that is
 * crossed already would be a market order in disguise.
 */
function requireRightSide(
  settings: TradingSettings,
  { side }: OrderRequest,
  { limit18, stop18 }: Amounts,
  { price18, last18 }: { readonly price18: bigint; readonly last18: bigint },
): void {
  const band = BigInt(settings.limitBandBps)
  if (limit18 !== null) {
    const worst = (price18 * (side === 'buy' ? BPS + band : BPS - band)) / BPS
    if (side === 'buy' ? limit18 > worst : limit18 < worst) {
      const message = `must be ${side === 'buy' ? 'at most' : 'at least'} ${textOfPrice(worst)}`
      throw new Problem('limit_wrong_side', { errors: [{ path: 'limitPrice', message }] })
    }
  }
  if (stop18 !== null && (side === 'buy' ? stop18 <= last18 : stop18 >= last18)) {
    const message = `must be ${side === 'buy' ? 'above' : 'below'} ${textOfPrice(last18)}`
    throw new Problem('stop_wrong_side', { errors: [{ path: 'stopPrice', message }] })
  }
}

function draftOf(
  deps: JudgeDeps,
  given: {
    walletId: bigint
    request: OrderRequest
    instrument: Instrument
    currency: WalletAsset
    settle: WalletAsset
    price: StockPrice
    session: MarketSession
    amounts: Amounts
  },
): Order {
  const { walletId, request, instrument, currency, settle, price, session, amounts } = given
  const expiresAt = request.timeInForce === 'gtc' ? null : session.closesAt
  const graceMs = deps.settings.graceSeconds[price.timeliness] * 1_000
  return newOrder({
    id: deps.newId(),
    walletId,
    instrumentId: instrument.id,
    currencyId: currency.id,
    currencyScale: currency.scale,
    settleId: settle.id,
    settleScale: settle.scale,
    side: request.side,
    type: request.type,
    timeInForce: request.timeInForce,
    ...amounts,
    reserveMinor: 0n,
    feeBps: deps.settings.feeBps,
    feeMinimumMinor: deps.settings.feeMinimumMinor,
    acceptedAt: deps.clock(),
    acceptedSeq: deps.prices.newestSeq(),
    queuedUntil: session.open ? null : session.opensAt,
    expiresAt,
    sweepAt: expiresAt === null ? null : new Date(expiresAt.getTime() + graceMs),
  })
}

/** What is to be set aside: enough for the worst price that is still reasonable, or that the order itself allows. */
async function reserveOf(
  deps: JudgeDeps,
  draft: Order,
  price18: bigint,
  settlement: Exclude<Settlement, 'unknown'>,
): Promise<bigint> {
  const { side, quantity } = draft
  const needed = bounded(() => {
    const minor = reserveNeeded(draft, worstPrice(deps.settings, draft, price18), settlement)
    const cushioned =
      side === 'sell' || quantity === null || settlement === 'same'
        ? minor
        : (minor * (BPS + BigInt(deps.settings.rateCushionBps)) + BPS - 1n) / BPS
    requireWorthwhile(draft, quantity !== null && side === 'sell' ? quantity : cushioned, price18, settlement)
    return cushioned
  })
  if (side === 'buy') return needed
  return quantity ?? sharesAtMost(deps, draft, { needed, price18, settlement })
}

function worstPrice(
  settings: TradingSettings,
  { side, type, limit18, stop18 }: Order,
  price18: bigint,
): bigint {
  if (type === 'limit' && limit18 !== null) return limit18
  const from = stop18 === null ? price18 : side === 'buy' ? larger(stop18, price18) : smaller(stop18, price18)
  const cushion = BigInt(settings.cushionBps)
  return side === 'buy' ? (from * (BPS + cushion) + BPS - 1n) / BPS : (from * (BPS - cushion)) / BPS
}

/**
 * A sale for an amount sets aside what a falling price would ask for, if there is so much, else what there is, but
 * never less than it takes at the price that it is dealt at.
 */
async function sharesAtMost(
  deps: JudgeDeps,
  draft: Order,
  at: { needed: bigint; price18: bigint; settlement: Exclude<Settlement, 'unknown'> },
): Promise<bigint> {
  const { walletId, instrumentId: assetId } = draft
  const held = await balanceOf(deps.db, accountId({ walletId, assetId, purpose: PURPOSE.available }))
  return smaller(at.needed, larger(held, reserveNeeded(draft, draft.stop18 ?? at.price18, at.settlement)))
}

/** An order that its own fee would eat up, or that is less than a billionth of a share, is refused before it waits. */
function requireWorthwhile(
  draft: Order,
  reserveMinor: bigint,
  price18: bigint,
  settlement: Exclude<Settlement, 'unknown'>,
): void {
  if (!fitsInt8(reserveMinor)) throw new Problem('amount_too_large')
  const fill = fillAt(draft, reserveMinor, draft.limit18 ?? draft.stop18 ?? price18, settlement)
  if (fill === null) throw new Problem('amount_too_small')
  if (!fitsInt8(fill.valueMinor)) throw new Problem('amount_too_large')
}

/** Amounts that no account can hold are a request too large, wherever on the way that shows. */
function bounded<T>(compute: () => T): T {
  try {
    return compute()
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Problem('amount_too_large', { cause: error })
  }
}
