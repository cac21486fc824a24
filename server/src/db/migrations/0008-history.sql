-- What makes rare matches in a long history quick to find: words of notes, sizes of amounts, kinds per asset.
-- Derived from ledger.journals for wallets whose owners search, and immutable once written. Nothing here is
-- written when value moves, and nothing is lost when it is emptied: it is then built again.
create schema history;
grant usage on schema history to kantor_app;

-- A wallet's operations up to last_seq, cut into consecutive chunks of at most 4,096. What is above the last
-- chunk is searched in the ledger itself, so the index may lag and still no answer misses anything.
create table history.chunks (
  wallet_id bigint not null check (wallet_id >= 1000),
  no integer not null check (no >= 0),
  last_seq bigint not null,
  primary key (wallet_id, no),
  unique (wallet_id, last_seq)
);

-- Posting lists: which of a wallet's operations bear a term, oldest first, at most 128 to a row so that a row
-- stays in its page. `rental`: a word of a note; `^ren`: words that begin so; `#3:978`: a transfer that moved EUR.
create table history.terms (
  wallet_id bigint not null,
  first_seq bigint not null,
  term text collate "C" not null check (term <> ''),
  seqs bigint[] not null check (cardinality(seqs) between 1 and 128 and seqs[1] = first_seq),
  primary key (wallet_id, term, first_seq)
);

-- Sorted runs: how much each operation moved of an asset, ordered by size, at most 64 to a row. Run r of level 0
-- is chunk r; run r of level 1 is chunks 16 r to 16 r + 15, merged.
create table history.sizes (
  wallet_id bigint not null,
  smallest bigint not null check (smallest > 0),
  largest bigint not null check (largest >= smallest),
  asset_id integer not null,
  run integer not null check (run >= 0),
  part integer not null check (part >= 0),
  level smallint not null check (level between 0 and 1),
  sizes bigint[] not null check (cardinality(sizes) between 1 and 64),
  seqs bigint[] not null check (cardinality(seqs) = cardinality(sizes)),
  primary key (wallet_id, level, run, asset_id, smallest, part)
);

grant select, insert on history.chunks, history.terms, history.sizes to kantor_app;
