-- What a wallet shows although nothing is in it: the currencies its owner chose. Money itself is the ledger's.
create schema wallets;
grant usage on schema wallets to kantor_app;

create table wallets.opened_assets (
  wallet_id bigint not null check (wallet_id >= 1000),
  asset_id integer not null,
  opened_at timestamptz not null default now(),
  primary key (wallet_id, asset_id)
);
comment on table wallets.opened_assets is 'Shown in a wallet even at a balance of zero; holds no money.';

grant select, insert on wallets.opened_assets to kantor_app;
