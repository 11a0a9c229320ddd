-- Per service a schema of its own, an owner that migrates it (scoring_owner), and a login for the running service (scoring), to whom the
-- owner grants what it needs whenever it migrates: nothing in another's schema, and histories such as the audit log only to append to.
-- Run by a superuser in Aftercall's database; running it again changes nothing.
-- The passwords are for development, production mode refuses them: alter role scoring password '...';
do $$
declare
  service text;
  name text;
begin
  foreach service in array array['ingest', 'scoring', 'routing'] loop
    foreach name in array array[service, service || '_owner'] loop
      if not exists (select from pg_roles where rolname = name) then
        execute format('create role %I login password %L', name, 'development-only');
      end if;
    end loop;
    execute format('create schema if not exists %I authorization %I', service, service || '_owner');
  end loop;
end
$$;
