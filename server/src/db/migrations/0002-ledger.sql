-- The ledger: assets, accounts, journals, entries and the chain of blocks that seals them.
-- Column orders avoid padding; docs/decisions/0002-ledger-rows.md has the bytes per transfer of each choice.
create schema ledger;

create table ledger.assets (
  id integer primary key check (id between 1 and 1048575),
  code text not null unique check (code <> ''),
  kind text not null check (kind in ('currency', 'crypto', 'instrument')),
  scale smallint not null check (scale between 0 and 9),
  name text not null,
  frozen_at timestamptz,
  check (kind <> 'crypto' or scale = 8),
  check (kind <> 'instrument' or scale = 9)
);
comment on table ledger.assets is 'What an account holds. A frozen asset cannot be posted.';

-- No foreign keys on the hot path: an account is opened by an insert that selects from assets, and an account or
-- an asset is never deleted. No index but the primary key and spare room in each page, so that updates stay HOT.
create table ledger.accounts (
  id bigint primary key check (id > 0),
  balance bigint not null default 0,
  floor bigint,
  version bigint not null default 0 check (version >= 0),
  constraint accounts_floor check (floor is null or balance >= floor)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
comment on column ledger.accounts.id is 'wallet * 2^27 + asset * 2^7 + purpose: computed, never looked up';
comment on column ledger.accounts.floor is 'null for the house, which is the other side of everything';
comment on column ledger.accounts.version is 'number of entries; entries are numbered 1..version without gaps';

create table ledger.journals (
  seq bigint primary key with (fillfactor = 100) check (seq >= 4096),
  scope bigint not null check (scope >= 0),
  recorded_at timestamptz not null,
  effective_at timestamptz,
  reverses bigint,
  key_hash uuid not null,
  request_hash uuid not null,
  kind smallint not null check (kind between 1 and 63),
  postings bigint[] not null
    check (cardinality(postings) between 3 and 192 and cardinality(postings) % 3 = 0),
  consumes text,
  detail jsonb check (jsonb_typeof(detail) = 'object')
);
comment on table ledger.journals is 'The canonical documents. Never updated, never deleted.';
comment on column ledger.journals.seq is 'block height * 4096 + position in the block: gapless in order of commit';
comment on column ledger.journals.effective_at is 'null when equal to recorded_at';
comment on column ledger.journals.key_hash is
  'first 128 bits of SHA-256 of scope and idempotency key, in the 16-byte type that needs no length';
comment on column ledger.journals.request_hash is '128 bits of what the caller considers the same request';
comment on column ledger.journals.postings is 'from, to, amount; from, to, amount; …';

create unique index journals_key on ledger.journals (key_hash);
create unique index journals_consumes on ledger.journals (consumes) where consumes is not null;
-- What passed between two customers, newest last. One number for both wallets is 8 bytes shorter than two; pairs of
-- wallets beyond 2^27 may share one, so who asks compares the wallets as well.
create index journals_transfer_pair on ledger.journals (
  ((least(postings[1] >> 27, postings[2] >> 27) << 27) # greatest(postings[1] >> 27, postings[2] >> 27)), seq
) where kind = 3;

create table ledger.entries (
  account_id bigint not null,
  version bigint not null check (version > 0),
  seq bigint not null,
  amount bigint not null check (amount <> 0),
  balance_after bigint not null,
  kind smallint not null,
  primary key (account_id, version)
);
comment on table ledger.entries is 'The sides of postings on their accounts, derived from journals. Never updated.';

-- One customer wallet's feed, newest first, of some kinds or of all: 8 bytes shorter than (wallet, kind, seq).
create index entries_feed on ledger.entries (((account_id >> 27) << 6 | kind), seq)
  where account_id >= 134217728000;

create table ledger.blocks (
  height bigint primary key with (fillfactor = 100) check (height > 0),
  sealed_at timestamptz not null,
  journal_count integer not null check (journal_count between 1 and 4096),
  previous_hash bytea not null check (length(previous_hash) = 32),
  journals_root bytea not null check (length(journals_root) = 32),
  hash bytea not null check (length(hash) = 32)
);
comment on table ledger.blocks is 'One per batch. hash covers the other columns; journals_root is a Merkle root.';
create index blocks_sealed_at on ledger.blocks (sealed_at, height);

-- One row, locked last and held to commit: this is what makes height and seq gapless in order of commit.
create table ledger.chain_head (
  singleton boolean primary key default true check (singleton),
  height bigint not null,
  last_recorded_at timestamptz not null,
  hash bytea not null check (length(hash) = 32)
) with (fillfactor = 10);
insert into ledger.chain_head (height, last_recorded_at, hash)
values (0, '1970-01-01T00:00:00Z', sha256('kantor.genesis.v1'));

create function ledger.refuse() returns trigger language plpgsql as $$
begin
  raise exception '% of ledger.% is refused: %', tg_op, tg_table_name, tg_argv[0]
    using errcode = 'restrict_violation';
end $$;

create trigger append_only before update or delete or truncate on ledger.journals
  for each statement execute function ledger.refuse('the table is append-only');
create trigger append_only before update or delete or truncate on ledger.entries
  for each statement execute function ledger.refuse('the table is append-only');
create trigger append_only before update or delete or truncate on ledger.blocks
  for each statement execute function ledger.refuse('the table is append-only');
create trigger no_removal before delete or truncate on ledger.accounts
  for each statement execute function ledger.refuse('an account is never removed');
create trigger no_removal before insert or delete or truncate on ledger.chain_head
  for each statement execute function ledger.refuse('there is one chain head');
create trigger no_removal before delete or truncate on ledger.assets
  for each statement execute function ledger.refuse('an asset is never removed');
create trigger fixed_scale before update of id, kind, scale on ledger.assets
  for each row when (old.id <> new.id or old.kind <> new.kind or old.scale <> new.scale)
  execute function ledger.refuse('id, kind and scale of an asset never change');

grant usage on schema ledger to kantor_app;
grant select on all tables in schema ledger to kantor_app;
grant insert on ledger.journals, ledger.entries, ledger.blocks to kantor_app;
grant insert (id, floor), update (balance, version) on ledger.accounts to kantor_app;
grant update (height, last_recorded_at, hash) on ledger.chain_head to kantor_app;
grant insert, update (code, name, frozen_at) on ledger.assets to kantor_app;
