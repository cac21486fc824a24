-- Who has read how far in the ledger: the relay to the broker, and each consumer of events. Events themselves are
-- not stored: the ledger's blocks are the outbox, and an event is computed from them.
create schema events;
grant usage on schema events to kantor_app;

create table events.cursors (
  name text primary key check (name <> ''),
  seq bigint not null check (seq >= 0),
  moved_at timestamptz not null default now(),
  -- The process that reads at present, until then alone.
  holder uuid,
  held_until timestamptz not null default '-infinity',
  -- The event that is being tried by itself because it failed, or might have ended the process before.
  trying_seq bigint,
  tries integer not null default 0 check (tries >= 0)
) with (fillfactor = 50);
comment on column events.cursors.seq is
  'everything up to here is done: published by the relay; handled, or a dead letter, by a consumer';

create table events.dead_letters (
  id uuid primary key,
  consumer text not null references events.cursors (name),
  -- Null for a message that was no event of ours, which then is kept itself.
  seq bigint,
  body text check (length(body) <= 65536),
  reason text not null check (length(reason) <= 1000),
  tries integer not null,
  died_at timestamptz not null default now(),
  -- To be handled once more by whichever process runs the consumer.
  replay_at timestamptz,
  unique (consumer, seq),
  check ((seq is null) <> (body is null))
);
create index dead_letters_replay on events.dead_letters (consumer, replay_at) where replay_at is not null;

grant select, insert, update on events.cursors to kantor_app;
grant select, insert, update, delete on events.dead_letters to kantor_app;
