-- Addresses of customers' programs, and what was sent there.
create table notifications.webhooks (
  id uuid primary key,
  wallet_id bigint not null check (wallet_id >= 1000),
  url text not null check (length(url) between 1 and 500),
  name text not null check (length(name) between 1 and 500),
  events text[] not null check (cardinality(events) between 1 and 20),
  -- Pending until the receiver has answered the challenge.
  status text not null check (status in ('pending', 'active', 'disabled')),
  disabled_reason text check (disabled_reason in ('owner', 'failing', 'gone')),
  -- AES-256-GCM under a key derived from SECRET_KEY, bound to this row's id.
  sealed_secret bytea not null,
  -- The one before, with which is signed too until then.
  sealed_previous_secret bytea,
  previous_secret_until timestamptz,
  verified_at timestamptz,
  -- Since when every attempt has failed; null after a success.
  failing_since timestamptz,
  -- How long the last attempt took: slow receivers wait among themselves.
  last_duration_ms integer not null default 0 check (last_duration_ms >= 0),
  -- One process at a time sends here, one message after the other.
  leased_until timestamptz,
  leased_by uuid,
  served_at timestamptz,
  created_at timestamptz not null,
  check ((status = 'disabled') = (disabled_reason is not null)),
  check (status <> 'active' or verified_at is not null),
  check ((sealed_previous_secret is null) = (previous_secret_until is null))
) with (fillfactor = 80);
create index webhooks_by_wallet on notifications.webhooks (wallet_id, created_at);
grant select, insert, update, delete on notifications.webhooks to kantor_app;

-- What happened, in the bytes that are signed and sent. Kept for a while, so that it can be sent again.
create table notifications.webhook_messages (
  -- The order in which messages are sent and listed.
  position bigint generated always as identity primary key,
  -- Sent as webhook-id, the same at every attempt and to every receiver.
  id uuid not null unique,
  wallet_id bigint not null check (wallet_id >= 1000),
  -- Tests and challenges are for one receiver.
  webhook_id uuid references notifications.webhooks (id) on delete cascade,
  type text not null,
  body text not null check (length(body) <= 65536),
  created_at timestamptz not null
);
create index webhook_messages_by_wallet on notifications.webhook_messages (wallet_id, position);
create index webhook_messages_by_created_at on notifications.webhook_messages (created_at);
create index webhook_messages_by_webhook on notifications.webhook_messages (webhook_id, created_at)
  where webhook_id is not null;
grant select, insert, delete on notifications.webhook_messages to kantor_app;

-- One message to one receiver. `waiting` rows are the queue: they are due at next_attempt_at.
create table notifications.webhook_deliveries (
  webhook_id uuid not null references notifications.webhooks (id) on delete cascade,
  position bigint not null references notifications.webhook_messages (position) on delete cascade,
  status text not null default 'waiting' check (status in ('waiting', 'delivered', 'failed')),
  -- In the present round; sending again begins a new one.
  attempts integer not null default 0 check (attempts >= 0),
  next_attempt_at timestamptz,
  primary key (webhook_id, position),
  check ((status = 'waiting') = (next_attempt_at is not null))
) with (fillfactor = 80);
create index webhook_deliveries_due on notifications.webhook_deliveries (next_attempt_at, webhook_id)
  where status = 'waiting';
create index webhook_deliveries_of_receiver
  on notifications.webhook_deliveries (webhook_id, next_attempt_at, position) where status = 'waiting';
create index webhook_deliveries_by_message on notifications.webhook_deliveries (position);
grant select, insert, update, delete on notifications.webhook_deliveries to kantor_app;

create table notifications.webhook_attempts (
  webhook_id uuid not null,
  position bigint not null,
  number integer not null check (number > 0),
  at timestamptz not null,
  duration_ms integer not null check (duration_ms >= 0),
  -- The answer's HTTP status; and why it counts for nothing, or why there was none.
  status integer check (status between 100 and 999),
  failure text,
  response_start text check (length(response_start) <= 500),
  primary key (webhook_id, position, number),
  foreign key (webhook_id, position) references notifications.webhook_deliveries (webhook_id, position)
    on delete cascade,
  check (status is not null or failure is not null)
);
grant select, insert, delete on notifications.webhook_attempts to kantor_app;
