-- A browser is pushed to as long as the session holds in which it asked for it. Of those that asked before nobody knows
-- the session, so they ask again.
delete from notifications.push_subscriptions;
alter table notifications.push_subscriptions add column session_id uuid not null;
