-- The application connects as whoever owns the database and at once becomes kantor_app, which owns nothing:
-- it can neither alter a table nor do to one what a migration has not granted.
-- A role belongs to the cluster, while databases are many and may be migrated at the same time, so another
-- session may create it between our look and our attempt.
do $$
begin
  if not exists (select from pg_roles where rolname = 'kantor_app') then
    create role kantor_app nologin;
  end if;
exception
  when duplicate_object or unique_violation then null;
end
$$;

do $$
declare
  -- Since PostgreSQL 16 being a member and being allowed to become it are two things.
  privilege text := case when current_setting('server_version_num')::int >= 160000 then 'SET' else 'MEMBER' end;
begin
  if not pg_has_role(current_user, 'kantor_app', privilege) then
    execute format('grant kantor_app to %I', current_user);
  end if;
end
$$;

-- Databases that were upgraded from PostgreSQL 14 still let everybody create objects here, which a
-- search path would then find first.
revoke create on schema public from public;

-- Readiness asks whether the schema is the one that the code was written for.
grant usage on schema db to kantor_app;
grant select on db.migrations to kantor_app;
