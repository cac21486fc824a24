-- What a customer is told, and how.
create schema notifications;
grant usage on schema notifications to kantor_app;

-- One row per wallet that was ever told anything. Its lock gives notices their places, so a place is visible only
-- after every one before it, and a reader that goes on from a place misses nothing.
create table notifications.inboxes (
  wallet_id bigint primary key check (wallet_id >= 1000),
  last_position bigint not null default 0 check (last_position >= 0),
  -- Everything up to here was seen. Places are gapless: the difference is what was not.
  read_position bigint not null default 0 check (read_position between 0 and last_position)
) with (fillfactor = 80);
grant select, insert, update on notifications.inboxes to kantor_app;

create table notifications.notices (
  id uuid primary key,
  wallet_id bigint not null references notifications.inboxes (wallet_id),
  -- In the wallet's list; null when its owner does not want this kind in the app.
  position bigint check (position > 0),
  kind text not null check (kind ~ '^[a-z_]{3,40}$'),
  detail jsonb not null,
  -- What happened, in words of who tells: the same thing is told once.
  dedupe_key text not null check (length(dedupe_key) between 1 and 200),
  created_at timestamptz not null,
  unique (wallet_id, dedupe_key)
);
create unique index notices_by_position on notifications.notices (wallet_id, position) where position is not null;
create index notices_by_created_at on notifications.notices (created_at);
grant select, insert, delete on notifications.notices to kantor_app;

-- Where a customer said otherwise than the usual; the usual is in preferences.ts.
create table notifications.preferences (
  wallet_id bigint not null check (wallet_id >= 1000),
  kind text not null check (kind ~ '^[a-z_]{3,40}$'),
  channel text not null check (channel in ('inApp', 'mail', 'push')),
  enabled boolean not null,
  primary key (wallet_id, kind, channel)
);
grant select, insert, update on notifications.preferences to kantor_app;

-- Browsers that asked to be pushed to. The address is the browser maker's, and secret.
create table notifications.push_subscriptions (
  id uuid primary key,
  wallet_id bigint not null check (wallet_id >= 1000),
  endpoint text not null check (length(endpoint) between 1 and 1000),
  p256dh text not null,
  auth text not null,
  created_at timestamptz not null,
  unique (endpoint)
);
create index push_subscriptions_by_wallet on notifications.push_subscriptions (wallet_id, created_at);
grant select, insert, update, delete on notifications.push_subscriptions to kantor_app;

-- One notice by one way to one place. The row is written with the notice, and a job sends it.
create table notifications.messages (
  id uuid primary key,
  notice_id uuid not null references notifications.notices (id) on delete cascade,
  channel text not null check (channel in ('mail', 'push')),
  subscription_id uuid references notifications.push_subscriptions (id) on delete cascade,
  sent_at timestamptz,
  check ((channel = 'push') = (subscription_id is not null)),
  unique nulls not distinct (notice_id, channel, subscription_id)
);
create index messages_by_subscription on notifications.messages (subscription_id) where subscription_id is not null;
grant select, insert, update, delete on notifications.messages to kantor_app;
