import { Pool } from 'pg'
import { runMigrations } from 'graphile-worker'
import { QUEUE_SCHEMA, queueLogger, type JobLog } from './queue-logger.ts'

/**
 * Makes or upgrades the queue's own schema, as the database's owner, and lets the application use it. Run
 * after `migrate`, each time: both halves do nothing when they are done.
 *
 * The library guards its tables by row-level security without policies, so that only their owner sees rows.
 * Two ways around were rejected: running the worker as the owner would hand a process that executes payloads
 * more rights than it needs and would still leave `enqueue`, which runs inside the application's own
 * transactions, without any; SECURITY DEFINER wrappers would have to follow every upgrade of the library.
 * Policies for kantor_app on these tables alone keep one role everywhere, and it still owns nothing.
 */
export async function migrateJobs(ownerUrl: string, log: JobLog): Promise<void> {
  const pool = new Pool({ connectionString: ownerUrl, max: 2, application_name: 'kantor-migrate-jobs' })
  // A connection that dies is told by the statement that needed it.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  try {
    await runMigrations({ pgPool: pool, schema: QUEUE_SCHEMA, logger: queueLogger(log) })
    await pool.query(GRANTS)
  } finally {
    await pool.end()
  }
}

/** In one go, so that it is one transaction; the lock lets processes that start together take turns. */
const GRANTS = `
do $$
declare
  queue_table regclass;
begin
  perform pg_advisory_xact_lock(7305620412);
  grant usage on schema ${QUEUE_SCHEMA} to kantor_app;
  grant select on all tables in schema ${QUEUE_SCHEMA} to kantor_app;
  grant usage on all sequences in schema ${QUEUE_SCHEMA} to kantor_app;
  grant execute on all functions in schema ${QUEUE_SCHEMA} to kantor_app;
  for queue_table in
    select oid::regclass from pg_class
     where relnamespace = '${QUEUE_SCHEMA}'::regnamespace and relkind = 'r' and relname ^@ '_private_'
  loop
    execute format('grant insert, update, delete on %s to kantor_app', queue_table);
    if not exists (select from pg_policy where polrelid = queue_table and polname = 'kantor_app') then
      execute format('create policy kantor_app on %s to kantor_app using (true) with check (true)', queue_table);
    end if;
  end loop;
end
$$`
