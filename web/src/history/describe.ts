import type { Operation, OperationKind } from '@kantor/contract/api'
import { currencyByCode } from '@kantor/contract/money'
import {
  ArrowDownLeft,
  ArrowDownToLine,
  ArrowLeftRight,
  ArrowRightLeft,
  ArrowUpFromLine,
  ArrowUpRight,
  ChartCandlestick,
  CircleOff,
  Coins,
  Lock,
  LockOpen,
  Percent,
  Scale,
  Split,
  Undo2,
} from '@lucide/vue'
import type { Component } from 'vue'

const ICONS: Record<OperationKind, Component> = {
  deposit: ArrowDownToLine,
  withdrawal: ArrowUpFromLine,
  transfer: ArrowUpRight,
  conversion: ArrowLeftRight,
  reserve: Lock,
  release: LockOpen,
  trade: ChartCandlestick,
  dividend: Coins,
  split: Split,
  fee: Percent,
  adjustment: Scale,
  reversal: Undo2,
  rename: ArrowRightLeft,
  delisting: CircleOff,
}

export const KINDS = Object.keys(ICONS) as OperationKind[]

export const isIncoming = (operation: Operation) =>
  operation.amounts.length > 0 && operation.amounts.every(({ amount }) => !amount.startsWith('-'))

export function iconOf(operation: Operation): Component {
  return operation.kind === 'transfer' && isIncoming(operation) ? ArrowDownLeft : ICONS[operation.kind]
}

/** Set aside for an order, or let go again: it stays in the wallet, so it neither comes nor goes. */
export const staysInside = ({ kind }: Operation) => kind === 'reserve' || kind === 'release'

/** What left, then what came: the order in which an exchange is read. What stays inside has no direction to show. */
export function sides(operation: Operation) {
  if (staysInside(operation)) {
    const unsigned = operation.amounts.map(({ asset, amount }) => ({
      asset,
      amount: amount.replace('-', ''),
    }))
    return { out: [], in: unsigned }
  }
  return {
    out: operation.amounts.filter(({ amount }) => amount.startsWith('-')),
    in: operation.amounts.filter(({ amount }) => !amount.startsWith('-')),
  }
}

/** What of it is shares: the one asset that is no currency. */
export const shareOf = (operation: Operation) =>
  operation.amounts.find(({ asset }) => currencyByCode(asset) === undefined)
