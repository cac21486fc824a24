-- People: who they are, how they get in, and what was done about it. No money here: a customer's number is
-- the id of their wallet, and the rooms that hold value know people by that number only.

create schema identity;
grant usage on schema identity to kantor_app;

-- Below 1000 are the house's wallets; 36 bits are what an account id has room for.
create sequence identity.customer_numbers as bigint start 1000 minvalue 1000 maxvalue 68719476735 no cycle;

create table identity.customers (
  id uuid primary key,
  number bigint not null unique default nextval('identity.customer_numbers')
    check (number between 1000 and 68719476735),
  -- As typed, to write to; and as compared: NFKC, lower case.
  email text not null check (length(email) between 3 and 254),
  email_key text not null constraint customers_email_taken unique,
  handle text not null constraint customers_handle_taken unique check (handle ~ '^[a-z][a-z0-9_]{2,23}$'),
  name text not null check (length(name) between 1 and 80),
  role text not null default 'customer' check (role in ('customer', 'support', 'admin')),
  password_hash text not null check (password_hash like '$argon2id$%'),
  base_currency text not null check (base_currency ~ '^[A-Z0-9]{2,12}$'),
  locale text not null default 'en' check (locale in ('en', 'pl')),
  theme text not null default 'system' check (theme in ('light', 'dark', 'system')),
  frozen_at timestamptz,
  created_at timestamptz not null
);
alter sequence identity.customer_numbers owned by identity.customers.number;

-- Room on the page lets the once-a-minute note of use rewrite a row beside itself, without touching an index.
create table identity.sessions (
  id uuid primary key,
  customer_id uuid not null references identity.customers (id),
  token_hash bytea not null unique check (length(token_hash) = 32),
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  idle_expires_at timestamptz not null,
  expires_at timestamptz not null,
  ip text not null,
  user_agent text not null,
  revoked_at timestamptz
) with (fillfactor = 80);
create index sessions_by_customer on identity.sessions (customer_id) where revoked_at is null;

-- Browsers that somebody has signed in from: strangers' failures do not slow these down.
create table identity.devices (
  token_hash bytea primary key check (length(token_hash) = 32),
  customer_id uuid not null references identity.customers (id),
  last_signed_in_at timestamptz not null
);
create index devices_by_customer on identity.devices (customer_id, last_signed_in_at);

create table identity.api_keys (
  id uuid primary key,
  customer_id uuid not null references identity.customers (id),
  name text not null check (length(name) between 1 and 60),
  -- What its owner tells it by; the whole key is never stored.
  prefix text not null,
  key_hash bytea not null unique check (length(key_hash) = 32),
  scopes text[] not null check (cardinality(scopes) > 0 and scopes <@ array['read', 'trade', 'transfer']),
  created_at timestamptz not null,
  last_used_at timestamptz,
  expires_at timestamptz,
  revoked_at timestamptz
) with (fillfactor = 80);
create index api_keys_by_customer on identity.api_keys (customer_id) where revoked_at is null;

-- Attempts that count towards a limit, shared by all processes. A key names what is limited (a network, an
-- account by the hash of the e-mail given, whether or not there is one).
create table identity.attempts (
  key text primary key,
  attempts integer not null check (attempts >= 0),
  last_at timestamptz not null,
  forget_at timestamptz not null
) with (fillfactor = 80);
create index attempts_by_forget_at on identity.attempts (forget_at);

create table identity.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  act text not null check (act ~ '^[a-z_]{3,40}$'),
  -- Whose account it concerns, and who did it; null when nobody is known (a sign-in to no account).
  customer_id uuid references identity.customers (id),
  actor_id uuid references identity.customers (id),
  ip text not null,
  user_agent text not null,
  detail jsonb not null default '{}'
);
create index audit_log_by_customer on identity.audit_log (customer_id, id);

create function identity.refuse() returns trigger language plpgsql as $$
begin
  raise exception '% of identity.% is refused: %', tg_op, tg_table_name, tg_argv[0]
    using errcode = 'restrict_violation';
end $$;

create trigger append_only before update or delete or truncate on identity.audit_log
  for each statement execute function identity.refuse('the table is append-only');
create trigger no_removal before delete or truncate on identity.customers
  for each statement execute function identity.refuse('a customer is never removed: history names them');
create trigger fixed_number before update of id, number on identity.customers
  for each row when (old.id <> new.id or old.number <> new.number)
  execute function identity.refuse('id and number are those of a wallet');

-- What other rooms may know of people.
create view identity.public_customers as
  select id, number, handle, name, base_currency, frozen_at is not null as frozen
  from identity.customers;

-- Not granted: role, number, e-mail and frozen_at change by other hands than the application's.
grant usage on sequence identity.customer_numbers to kantor_app;
grant select, insert, update (name, handle, base_currency, locale, theme, password_hash)
  on identity.customers to kantor_app;
grant select, insert, delete, update (last_seen_at, idle_expires_at, revoked_at) on identity.sessions to kantor_app;
grant select, insert, delete, update (last_signed_in_at) on identity.devices to kantor_app;
grant select, insert, delete, update (last_used_at, revoked_at) on identity.api_keys to kantor_app;
grant select, insert, update, delete on identity.attempts to kantor_app;
grant select, insert on identity.audit_log to kantor_app;
grant select on identity.public_customers to kantor_app;
