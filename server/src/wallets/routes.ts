import {
  PASSWORD_LENGTH_MIN,
  deposit,
  depositRequest,
  meta,
  openBalanceRequest,
  wallet,
} from '@kantor/contract/api'
import type { Meta } from '@kantor/contract/api'
import { currencyByCode, formatAmount } from '@kantor/contract/money'
import type { Database } from '#db'
import { route } from '#http'
import type { Route } from '#http'
import type { Ledger } from '#ledger'
import type { RateBook } from '#market-data'
import type { AssetBook } from './assets.ts'
import { depositPaperMoney } from './deposit-paper-money.ts'
import type { PaperMoney } from './deposit-paper-money.ts'
import { openBalance } from './open-balance.ts'
import { showWallet } from './show-wallet.ts'
import type { SharePrice } from './show-wallet.ts'

export interface WalletDeps {
  readonly db: Database
  readonly ledger: Ledger
  readonly assets: AssetBook
  readonly rates: RateBook
  /** What a share costs; the worth of shares is unknown without it. */
  readonly priceOf?: (instrumentId: number) => Promise<SharePrice | null>
  readonly paperMoney: readonly PaperMoney[]
  /** The room that knows people is not ours to ask. */
  readonly baseCurrencyOf: (walletId: bigint) => Promise<string>
  readonly version: string
}

export function walletRoutes(deps: WalletDeps): Route[] {
  return [showWalletRoute(deps), openBalanceRoute(deps), depositRoute(deps), metaRoute(deps)]
}

function showWalletRoute(deps: WalletDeps): Route {
  return route({
    method: 'GET',
    path: '/wallet',
    access: 'read',
    tag: 'wallets',
    summary:
      'Balances and what they are worth in the base currency; assets without a known rate are named and left out.',
    reply: wallet,
    handle: async ({ principal }) => {
      const baseCurrency = await deps.baseCurrencyOf(principal.walletId)
      return { body: await showWallet(deps, principal.walletId, baseCurrency) }
    },
  })
}

function openBalanceRoute(deps: WalletDeps): Route {
  return route({
    method: 'POST',
    path: '/wallet/balances',
    access: 'trade',
    tag: 'wallets',
    summary: 'Show an asset in the wallet before anything is in it. Opening what is open changes nothing.',
    body: openBalanceRequest,
    reply: wallet,
    problems: ['unknown_asset'],
    handle: async ({ principal, body }) => {
      await openBalance(deps, principal.walletId, body.asset)
      const baseCurrency = await deps.baseCurrencyOf(principal.walletId)
      return { body: await showWallet(deps, principal.walletId, baseCurrency) }
    },
  })
}

function depositRoute(deps: WalletDeps): Route {
  return route({
    method: 'POST',
    path: '/wallet/deposits',
    access: 'transfer',
    tag: 'wallets',
    summary: 'Take paper money, where the operator hands it out.',
    body: depositRequest,
    reply: deposit,
    status: 201,
    idempotent: true,
    problems: [
      'deposits_disabled',
      'deposit_limit',
      'unknown_asset',
      'asset_frozen',
      'amount_not_positive',
      'amount_too_large',
      'idempotency_key_reused',
      'busy',
    ],
    handle: ({ principal, body, idempotencyKey }) =>
      depositPaperMoney(deps, principal.walletId, body, idempotencyKey),
  })
}

function metaRoute(deps: WalletDeps): Route {
  return route({
    method: 'GET',
    path: '/meta',
    access: 'public',
    tag: 'wallets',
    summary: 'What this installation offers, for the pages to draw themselves by.',
    reply: meta,
    handle: async () => ({ body: metaBody(deps) }),
  })
}

function metaBody(deps: WalletDeps): Meta {
  return {
    version: deps.version,
    simulated: deps.rates.simulated(),
    paperMoney: deps.paperMoney.map(({ asset, mostMinor }) => ({
      asset,
      amount: formatAmount(mostMinor, scaleOf(asset)),
    })),
    passwordLengthMin: PASSWORD_LENGTH_MIN,
  }
}

/** Paper money is a setting, read once at start and in currencies only. */
function scaleOf(code: string): number {
  const currency = currencyByCode(code)
  if (currency === undefined) throw new Error(`paper money in ${code}, which is no currency`)
  return currency.scale
}
