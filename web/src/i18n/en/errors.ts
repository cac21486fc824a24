import type { FailureCode } from '#api'

/** The public sentence of each code, as said to a customer: what happened, what did not, what to do. */
export const errors: Record<FailureCode, string> = {
  invalid_request:
    'Something in what was sent is not right. Nothing was changed. Check the form and try again.',
  malformed_json: 'The request was garbled. Nothing was changed. Try again.',
  idempotency_key_required: 'The request was incomplete. Nothing was changed. Reload the page and try again.',
  not_authenticated: 'You are signed out. Nothing was changed. Sign in and try again.',
  invalid_credentials: 'The e-mail and password do not match. Check both and try again.',
  forbidden: 'Your account may not do this. Nothing was changed.',
  insufficient_scope: 'This API key lacks the right for this. Nothing was changed.',
  session_required: 'This needs a signed-in browser. Nothing was changed.',
  origin_refused: 'The request seemed to come from another site. Nothing was changed. Reload the page.',
  account_frozen:
    'Your account is frozen: you can look, but not move money out. Ask whoever runs this Kantor.',
  deposits_disabled: 'No paper money is handed out here. Nothing was changed.',
  not_found: 'There is nothing here, or it is not yours.',
  method_not_allowed: 'This cannot be done here. Nothing was changed.',
  request_timeout: 'It took too long. Try again: it will happen once at most.',
  email_taken: 'There is an account with this e-mail. No account was made. Sign in instead.',
  handle_taken: 'Somebody has this handle. Nothing was changed. Choose another.',
  body_too_large: 'That was too much to send at once. Nothing was changed.',
  unsupported_media_type: 'The request was garbled. Nothing was changed. Reload the page.',
  idempotency_key_reused:
    'This was mixed up with an earlier request. Nothing was changed. Reload the page and try again.',
  weak_password:
    'This password is too easy to guess. Nothing was changed. Make it longer or less predictable.',
  unknown_asset: 'This currency is not offered here. Nothing was changed.',
  asset_frozen: 'This currency cannot be moved at present. Nothing was changed.',
  amount_not_positive: 'The amount must be above zero. Nothing was changed.',
  amount_too_small: 'The amount is too small: what you would get rounds down to zero. Nothing was changed.',
  amount_too_large: 'The amount is more than can be handled at once. Nothing was changed.',
  insufficient_funds: 'You do not have that much. Nothing was changed. Try a smaller amount, or add money.',
  same_asset: 'Choose two different currencies. Nothing was exchanged.',
  rate_unknown: 'There is no rate for this pair. Nothing was exchanged.',
  exposure_limit:
    'This is more of this pair than we can exchange now. Nothing was exchanged. Try less, or later.',
  quote_expired: 'The rate moved past your price. Nothing was exchanged. A new price is below.',
  quote_used: 'This price was used already. Nothing more was exchanged.',
  payee_not_found: 'Nobody here has that handle or e-mail. Nothing was sent.',
  payee_is_self: 'That is you. Nothing was sent. Choose somebody else.',
  unknown_instrument: 'There is no stock with this ticker here.',
  order_not_open: 'The order was filled, cancelled or over before. Nothing was changed.',
  instrument_not_found: 'There is no stock with this ticker here. Nothing was ordered.',
  instrument_delisted:
    'This stock is no longer traded. Nothing was ordered. What you hold of it stays yours.',
  price_unknown: 'There is no price of this stock yet. Nothing was ordered. Try again later.',
  limit_wrong_side:
    'The limit is far worse for you than the present price. Nothing was ordered. Check its digits, or order at the market price.',
  stop_wrong_side:
    'A stop to buy must be above the present price, a stop to sell below it. Nothing was ordered.',
  market_closed:
    'The market is closed, and an order “at once or not at all” cannot wait. Nothing was ordered. Choose “the day”.',
  live_prices_required:
    'Prices come once a day here, so nothing can be filled at once. Nothing was ordered. Choose “the day”.',
  prices_stale:
    'The price of this stock is too old to deal at. Nothing was ordered. Everything else works; try again later.',
  invalid_cursor: 'The list has moved on. Load it again.',
  deposit_limit: 'That is more paper money than is handed out at once. Nothing was changed. Try less.',
  webhook_not_active:
    'This webhook is off, or its receiver has not answered the challenge yet. Nothing was sent.',
  too_many_webhooks: 'You have as many webhooks as are allowed. Delete one first.',
  too_many_keys: 'You have as many API keys as are allowed. Revoke one first.',
  rate_limited: 'Too many tries in a short time. Nothing was changed. Wait a little and try again.',
  too_many_quotes: 'You have too many open prices. Wait until they expire.',
  too_many_streams: 'You have this open in too many places. Close one of them.',
  headers_too_large: 'The request was too large. Nothing was changed. Clear the cookies of this site.',
  internal_error: 'Something failed on our side. Try again: if it moves money, it will happen once at most.',
  busy: 'We are very busy. Nothing was changed. Try again in a moment.',
  outcome_unknown: 'The line broke while this was being recorded. Try again: it will happen once at most.',
  rates_stale:
    'The rates are too old to deal at. Nothing was exchanged. Everything else works; try again later.',
  unavailable: 'Kantor is just starting or being looked after. Try again in a moment.',
  offline: 'You are off line. Try again when you are back: it will happen once at most.',
  no_answer: 'No answer came in time. Try again: it will happen once at most.',
  unreadable_answer: 'The answer could not be read. Try again: it will happen once at most.',
  rule_ended: 'It was done, cancelled or expired before. Nothing was changed.',
  schedule_over: 'There is no date left on which this would happen. Nothing was changed. Choose a later one.',
  too_many_rules: 'You have as many of these as are allowed. Nothing was made. End one first.',
  run_missed: 'The service was away on that date, for longer than is made up for. Nothing was moved.',
  rule_expired: 'It expired before it came to that. Nothing was moved.',
  alert_met_already: 'The value is there already. No alert was made. Choose another value.',
}
