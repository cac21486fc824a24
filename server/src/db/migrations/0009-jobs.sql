-- What the durable queue adds to graphile-worker's own schema: how each job is doing, and which processes run
-- jobs. The queue itself is made by `migrateJobs`, since its SQL belongs to that library and not to us.

create schema jobs;
grant usage on schema jobs to kantor_app;

create table jobs.runs (
  job text primary key,
  runs bigint not null default 0,
  failures bigint not null default 0,
  last_started_at timestamptz,
  last_finished_at timestamptz,
  last_success_at timestamptz,
  last_duration_ms integer,
  last_error text,
  last_error_at timestamptz
);

-- A process that runs jobs says so every few seconds. One that has been silent too long is dead, and what it
-- had locked is handed to others: the library alone would wait four hours.
create table jobs.runners (
  pool_id text primary key,
  host text not null,
  started_at timestamptz not null default now(),
  seen_at timestamptz not null default now()
);

grant select, insert, update on jobs.runs to kantor_app;
grant select, insert, update, delete on jobs.runners to kantor_app;
