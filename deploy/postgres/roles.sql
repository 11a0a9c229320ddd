-- A role and a schema per service: none can read another's tables. For development; a real deployment sets its own passwords.
create role ingest login password 'development-only';
create role scoring login password 'development-only';
create role routing login password 'development-only';
grant create on database aftercall to ingest, scoring, routing; -- each makes its own schema when it migrates
