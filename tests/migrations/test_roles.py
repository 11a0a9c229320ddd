"""Each service lives in its own schema with the grants of its role: it does its work, and nothing else is open to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from deploy.postgres.roles import as_role, make_roles, owner
from shared.runtime.audit import audit
from shared.runtime.database import Database, run
from shared.runtime.keys import NewKey, create_key, revoke_key
from shared.runtime.migrations import at_head, upgrade
from shared.runtime.rights import Principal
from shared.schemas import ErasureReported
from tests.support.postgres import Databases

SERVICES = ("ingest", "scoring", "routing")
ADMIN = Principal("person", "admin-1", "An admin")
services = pytest.mark.parametrize("service", SERVICES)
GRANTS = """
select relname, coalesce(relacl::text, '') from pg_class c join pg_namespace n on n.oid = c.relnamespace
where nspname in ('ingest', 'scoring', 'routing') and relkind in ('r', 'S') order by 1, 2"""


@pytest.fixture(scope="module")
def url(databases: Databases) -> Iterator[str]:
    """A database that three services have migrated, as its superuser sees it."""
    made = databases.fresh()
    make_roles(made)
    for service in SERVICES:
        upgrade(as_role(made, owner(service)), service, role=service)
    yield made
    databases.drop(made)


def _do(url: str, role: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(as_role(url, role).replace("+psycopg", ""), autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


def _report(customer: UUID, at: datetime) -> ErasureReported:
    return ErasureReported(request_id=customer, service="scoring", counts={"survey": 1}, clean_by=at, done=True)


@services
async def test_a_running_service_does_its_daily_work(url: str, service: str) -> None:
    database = Database(as_role(url, service), schema=service)
    customer = uuid4()
    assert await at_head(database)
    async with database.transaction() as unit:
        await audit(unit.tx, ADMIN, "customer.erased", subject=customer)
        unit.send(_report(customer, unit.now), key=customer, correlation=customer)
        await run(unit.tx, "insert into inbox (source, id, hash) values ('/a', :id, '')", id=str(customer))
    async with database.transaction() as unit:
        assert await run(unit.tx, "update inbox set received = now() where id = :id", id=str(customer)) == 1
        assert await run(unit.tx, "delete from outbox where key = :key", key=str(customer)) == 1
    key = await create_key(database, NewKey("a platform", ["platform"]))
    assert await revoke_key(database, key.split("_")[1])
    await database.close()


@services
@pytest.mark.parametrize("statement", ["update {}.audit set what = 'nothing'", "delete from {}.audit", "truncate {}.audit"])
def test_what_was_audited_is_neither_changed_nor_taken_away(url: str, service: str, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege, match="audit"):
        _do(url, service, statement.format(service))


@pytest.mark.parametrize("statement", ["update routing.case_history set state = 'closed'", "delete from routing.case_history"])
def test_the_history_of_a_case_only_grows(url: str, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege, match="case_history"):
        _do(url, "routing", statement)


@services
def test_no_service_and_no_owner_reads_the_tables_of_another(url: str, service: str) -> None:
    for other in set(SERVICES) - {service}:
        for role in (service, owner(service)):
            with pytest.raises(InsufficientPrivilege, match=f"schema {other}"):
                _do(url, role, f"select * from {other}.outbox")


@services
@pytest.mark.parametrize(
    "statement",
    ["create table {}.mine (id int)", "drop table {}.outbox", "update {}.alembic_version set version_num = '0000'", "create schema mine"],
)
def test_a_running_service_changes_no_table(url: str, service: str, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        _do(url, service, statement.format(service))


def test_a_table_of_a_later_migration_is_the_running_services_at_once(url: str) -> None:
    _do(url, "scoring_owner", "create table scoring.later (id bigserial primary key, word text)")

    _do(url, "scoring", "insert into scoring.later (word) values ('kept')")

    assert _do(url, "scoring", "update scoring.later set word = 'changed' returning id, word") == [(1, "changed")]
    _do(url, "scoring_owner", "drop table scoring.later")


def test_roles_and_migrations_again_change_no_grant(url: str) -> None:
    before = _do(url, "postgres", GRANTS)

    make_roles(url)
    for service in SERVICES:
        upgrade(as_role(url, owner(service)), service, role=service)

    assert _do(url, "postgres", GRANTS) == before


def _migrate(service: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", service, "migrate"]
    return subprocess.run(command, env={**os.environ, **variables}, capture_output=True, text=True, check=False)


def test_the_command_migrates_as_the_owner_and_grants_to_the_service(databases: Databases) -> None:
    url = databases.fresh()
    make_roles(url)

    done = _migrate("scoring", SCORING_MIGRATION_URL=as_role(url, "scoring_owner"), AFTERCALL_DATABASE_URL=as_role(url, "scoring"))

    assert done.returncode == 0, done.stderr
    assert _do(url, "scoring", "select count(*) from scoring.audit") == [(0,)]
    assert _do(url, "scoring", "select distinct tableowner from pg_tables where schemaname = 'scoring'") == [("scoring_owner",)]


def test_the_command_says_what_to_do_when_the_role_is_missing(databases: Databases) -> None:
    url = databases.fresh()

    refused = _migrate("scoring", AFTERCALL_MIGRATION_URL=url, AFTERCALL_DATABASE_URL=as_role(url, "nobody-made-me"))

    assert refused.returncode == 2
    assert 'There is no role "nobody-made-me": make the roles first (deploy/postgres/roles.sql)' in refused.stderr


def test_who_migrates_and_runs_as_one_needs_no_roles(databases: Databases) -> None:
    url = databases.fresh()

    upgrade(url, "scoring", role="postgres")

    assert _do(url, "postgres", "select count(*) from scoring.audit") == [(0,)]
