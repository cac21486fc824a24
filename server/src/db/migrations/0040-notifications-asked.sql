-- How often strangers' servers are asked is bounded by wallet and minute. Tests and challenges therefore outlive the
-- webhook they were for: who registers an address, deletes it and registers it again is counted on.
alter table notifications.webhook_messages
  drop constraint webhook_messages_webhook_id_fkey,
  add constraint webhook_messages_webhook_id_fkey
    foreign key (webhook_id) references notifications.webhooks (id) on delete set null;
create index webhook_messages_asked on notifications.webhook_messages (wallet_id, created_at)
  where type in ('webhook.test', 'webhook.verification');
