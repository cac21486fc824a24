-- How people were called before. A transfer keeps no names, which were a quarter of its bytes: a replay, which must
-- answer what was answered, asks here how the payee was called at the time.
create table identity.former_names (
  number bigint not null references identity.customers (number),
  until timestamptz not null,
  handle text not null,
  name text not null,
  primary key (number, until)
);
create trigger append_only before update or delete or truncate on identity.former_names
  for each statement execute function identity.refuse('the table is append-only');
grant select, insert on identity.former_names to kantor_app;
