-- Whoever holds a connection open for a customer hears at once when that customer's ways in change, by the id of the
-- customer. In a trigger, so that no statement that revokes or freezes, of today or to come, can forget it.
create function identity.tell_access_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('kantor_access', (to_jsonb(new) ->> tg_argv[0]));
  return null;
end $$;

create trigger tell_access_changed after update of revoked_at on identity.sessions
  for each row when (old.revoked_at is distinct from new.revoked_at)
  execute function identity.tell_access_changed('customer_id');
create trigger tell_access_changed after update of revoked_at on identity.api_keys
  for each row when (old.revoked_at is distinct from new.revoked_at)
  execute function identity.tell_access_changed('customer_id');
create trigger tell_access_changed after update of frozen_at, role on identity.customers
  for each row when (old.frozen_at is distinct from new.frozen_at or old.role is distinct from new.role)
  execute function identity.tell_access_changed('id');
