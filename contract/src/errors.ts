/**
 * Every refusal a client can meet: its code, HTTP status, title and public sentence. One catalogue, so that
 * no handler chooses a status and docs/errors.md (compared by a test) cannot drift from what is answered.
 * Sentences say what happened, what did not, and what to do; private details never go into them.
 */
export const ERRORS = {
  invalid_request: {
    status: 400,
    title: 'Invalid request',
    sentence:
      'The request does not have the documented shape. Nothing was changed. See errors for each field.',
  },
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    sentence: 'The body is not valid JSON. Nothing was changed.',
  },
  idempotency_key_required: {
    status: 400,
    title: 'Idempotency key required',
    sentence:
      'Requests that move value need an Idempotency-Key header of 1 to 255 printable ASCII characters. Nothing was changed.',
  },
  not_authenticated: {
    status: 401,
    title: 'Not signed in',
    sentence: 'Sign in, or send a valid API key. Nothing was changed.',
  },
  invalid_credentials: {
    status: 401,
    title: 'Wrong e-mail or password',
    sentence: 'The e-mail and password do not match. Check both and try again.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    sentence: 'Your account may not do this. Nothing was changed.',
  },
  insufficient_scope: {
    status: 403,
    title: 'API key lacks a scope',
    sentence: 'This API key was not given the scope that the request needs. Nothing was changed.',
  },
  session_required: {
    status: 403,
    title: 'Session required',
    sentence:
      'This can only be done from a signed-in browser session, not with an API key. Nothing was changed.',
  },
  origin_refused: {
    status: 403,
    title: 'Cross-origin request refused',
    sentence: 'The request came from another site. Nothing was changed.',
  },
  account_frozen: {
    status: 403,
    title: 'Account frozen',
    sentence:
      'This account is frozen: it can be read, but nothing can be moved out. Nothing was changed. Ask the operator.',
  },
  deposits_disabled: {
    status: 403,
    title: 'Paper money is off',
    sentence: 'The operator does not hand out paper money here. Nothing was changed.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    sentence: 'There is nothing at this address, or it is not yours.',
  },
  unknown_instrument: {
    status: 404,
    title: 'Unknown instrument',
    sentence: 'No stock with this id or ticker is listed here.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    sentence: 'This address does not answer that method. Nothing was changed.',
  },
  request_timeout: {
    status: 408,
    title: 'Request timed out',
    sentence:
      'The request took too long to arrive. Retry it, with the same Idempotency-Key if it moves value.',
  },
  email_taken: {
    status: 409,
    title: 'E-mail already in use',
    sentence: 'There is an account with this e-mail. No account was made. Sign in instead.',
  },
  handle_taken: {
    status: 409,
    title: 'Handle already in use',
    sentence: 'Somebody has this handle. No account was changed. Choose another.',
  },
  order_not_open: {
    status: 409,
    title: 'Order no longer open',
    sentence: 'The order was filled, cancelled or expired before. Nothing was changed.',
  },
  rule_ended: {
    status: 409,
    title: 'Already ended',
    sentence: 'It was done, cancelled or expired before. Nothing was changed.',
  },
  webhook_not_active: {
    status: 409,
    title: 'Webhook not active',
    sentence:
      'This webhook is off, or its receiver has not answered the challenge yet. Nothing was sent. Switch it on, or have it verified.',
  },
  body_too_large: {
    status: 413,
    title: 'Body too large',
    sentence: 'The body is over the limit of 64 KiB. Nothing was changed.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'JSON only',
    sentence: 'Send the body as application/json. Nothing was changed.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency key reused',
    sentence:
      'This Idempotency-Key was used for another request. Nothing was changed. Use a new key for a new request.',
  },
  weak_password: {
    status: 422,
    title: 'Password too weak',
    sentence: 'The password is too easy to guess. Nothing was changed. Make it longer or less predictable.',
  },
  unknown_asset: {
    status: 422,
    title: 'Unknown asset',
    sentence: 'No such asset is offered here. Nothing was changed.',
  },
  asset_frozen: {
    status: 422,
    title: 'Asset frozen',
    sentence: 'This asset cannot be moved at present. Nothing was changed.',
  },
  amount_not_positive: {
    status: 422,
    title: 'Amount must be above zero',
    sentence: 'The amount must be more than zero. Nothing was changed.',
  },
  amount_too_small: {
    status: 422,
    title: 'Amount too small',
    sentence: 'The amount is too small: what would be received rounds down to zero. Nothing was changed.',
  },
  amount_too_large: {
    status: 422,
    title: 'Amount too large',
    sentence: 'The amount is over what can be handled at once. Nothing was changed.',
  },
  insufficient_funds: {
    status: 422,
    title: 'Not enough money',
    sentence: 'The available balance does not cover this. Nothing was changed.',
  },
  same_asset: {
    status: 422,
    title: 'Same asset on both sides',
    sentence: 'Choose two different assets. Nothing was exchanged.',
  },
  rate_unknown: {
    status: 422,
    title: 'Rate unknown',
    sentence: 'There is no rate for this pair. Nothing was exchanged.',
  },
  instrument_not_found: {
    status: 422,
    title: 'Instrument not found',
    sentence: 'No instrument with this id or ticker is offered here. Nothing was ordered.',
  },
  instrument_delisted: {
    status: 422,
    title: 'Instrument delisted',
    sentence: 'This instrument is no longer traded. Nothing was ordered; what you hold of it stays yours.',
  },
  price_unknown: {
    status: 422,
    title: 'Price unknown',
    sentence: 'There is no price of this instrument yet. Nothing was ordered.',
  },
  limit_wrong_side: {
    status: 422,
    title: 'Limit on the wrong side',
    sentence:
      'The limit is much worse for you than the present price, which is rarely meant. Nothing was ordered. See errors for the bound.',
  },
  stop_wrong_side: {
    status: 422,
    title: 'Stop on the wrong side',
    sentence: 'A stop to buy must be above the present price, a stop to sell below it. Nothing was ordered.',
  },
  market_closed: {
    status: 422,
    title: 'Market closed',
    sentence:
      'The market is closed, and an immediate order cannot wait. Nothing was ordered. Use a day order: it waits for the opening.',
  },
  live_prices_required: {
    status: 422,
    title: 'No live prices',
    sentence:
      'Prices come once a day here, so an order cannot be filled at once. Nothing was ordered. Use a day order: it is filled at the next close.',
  },
  exposure_limit: {
    status: 422,
    title: 'Over the exchange limit',
    sentence:
      'This is more of this pair than can be exchanged at the present rate. Nothing was exchanged. Try a smaller amount, or later.',
  },
  quote_expired: {
    status: 422,
    title: 'Quote expired',
    sentence: 'The quote has expired. Nothing was exchanged. Get a new quote.',
  },
  quote_used: {
    status: 422,
    title: 'Quote already used',
    sentence: 'The quote was used already. Nothing more was exchanged. Get a new quote.',
  },
  schedule_over: {
    status: 422,
    title: 'Nothing left to do',
    sentence: 'There is no date left on which this would happen. Nothing was changed. Choose a later one.',
  },
  too_many_rules: {
    status: 422,
    title: 'Too many of these',
    sentence: 'You have as many of these as are allowed. Nothing was made. End one first.',
  },
  run_missed: {
    status: 422,
    title: 'Missed',
    sentence: 'The service was away on that date, for longer than is made up for. Nothing was moved.',
  },
  rule_expired: {
    status: 422,
    title: 'Expired',
    sentence: 'It expired before it came to that. Nothing was moved.',
  },
  alert_met_already: {
    status: 422,
    title: 'There already',
    sentence: 'The value is there already. No alert was made. Choose another value.',
  },
  payee_not_found: {
    status: 422,
    title: 'Payee not found',
    sentence: 'Nobody here has that handle or e-mail. Nothing was sent.',
  },
  payee_is_self: {
    status: 422,
    title: 'Payee is you',
    sentence: 'You cannot send to yourself. Nothing was sent.',
  },
  invalid_cursor: {
    status: 400,
    title: 'Invalid cursor',
    sentence: 'The cursor does not belong to this list. Start again without it.',
  },
  deposit_limit: {
    status: 422,
    title: 'Over the paper money limit',
    sentence: 'This is more paper money than the operator hands out at once. Nothing was changed.',
  },
  too_many_keys: {
    status: 422,
    title: 'Too many API keys',
    sentence: 'You have as many API keys as are allowed. Revoke one first.',
  },
  too_many_webhooks: {
    status: 422,
    title: 'Too many webhooks',
    sentence: 'You have as many webhooks as are allowed. Delete one first.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    sentence: 'Too many requests in a short time. Nothing was changed. Wait as long as Retry-After says.',
  },
  too_many_quotes: {
    status: 429,
    title: 'Too many open quotes',
    sentence: 'You have too many open quotes. Use one, or wait until they expire.',
  },
  too_many_streams: {
    status: 429,
    title: 'Too many live streams',
    sentence:
      'You have as many live streams open as are allowed. Close one, or wait as long as Retry-After says.',
  },
  headers_too_large: {
    status: 431,
    title: 'Headers too large',
    sentence: 'The request headers are over the limit. Nothing was changed.',
  },
  internal_error: {
    status: 500,
    title: 'Our fault',
    sentence:
      'Something failed on our side. If the request moves value, retry it with the same Idempotency-Key: it will happen once.',
  },
  busy: {
    status: 503,
    title: 'Busy',
    sentence:
      'There is more work than can be queued. Nothing was changed. Retry after the time in Retry-After with the same Idempotency-Key.',
  },
  outcome_unknown: {
    status: 503,
    title: 'Outcome unknown',
    sentence:
      'The connection to the ledger was lost while this was being recorded. Retry with the same Idempotency-Key: it will happen once.',
  },
  rates_stale: {
    status: 503,
    title: 'Rates are too old',
    sentence:
      'The exchange rates are too old to deal at. Nothing was exchanged. Everything else works; try again later.',
  },
  prices_stale: {
    status: 503,
    title: 'Prices are too old',
    sentence:
      'The price of this instrument is too old to deal at. Nothing was ordered. Everything else works; try again later.',
  },
  unavailable: {
    status: 503,
    title: 'Unavailable',
    sentence: 'The service is not ready. Retry after the time in Retry-After.',
  },
} as const satisfies Record<string, { status: number; title: string; sentence: string }>

export type ErrorCode = keyof typeof ERRORS

/** One field that is wrong: its path in the request (`body.from.amount` is written `from.amount`) and what would be right. */
export interface FieldError {
  path: string
  message: string
}

export interface ProblemOptions {
  detail?: string
  errors?: FieldError[]
  retryAfterSeconds?: number
  /** Further public members of the problem document (RFC 9457 section 3.2), for example `ageSeconds`. */
  extensions?: Record<string, string | number | boolean>
  cause?: unknown
}

/** A refusal that a client may be told of. Anything else that is thrown is answered as `internal_error`. */
export class Problem extends Error {
  readonly code: ErrorCode
  readonly status: number
  readonly options: ProblemOptions

  constructor(code: ErrorCode, options: ProblemOptions = {}) {
    super(options.detail ?? ERRORS[code].sentence, { cause: options.cause })
    this.name = 'Problem'
    this.code = code
    this.status = ERRORS[code].status
    this.options = options
  }
}
