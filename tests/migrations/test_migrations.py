"""Each service's migrations make what its code expects, from nothing, and again without harm."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from shared.runtime.migrations import differences, upgrade
from tests.support.postgres import Databases

ROOT = Path(__file__).resolve().parents[2]
services = pytest.mark.parametrize("service", ["ingest", "scoring", "routing"])


@services
def test_an_empty_database_becomes_what_the_code_expects(databases: Databases, service: str) -> None:
    url = databases.fresh(service)

    assert differences(url, service) == []


@services
def test_migrating_twice_changes_nothing(databases: Databases, service: str) -> None:
    url = databases.fresh(service)
    before = _tables(url)

    upgrade(url, service)

    assert _tables(url) == before
    assert {schema for schema, _ in before} == {service}


def test_three_services_share_a_database_each_in_its_own_schema(databases: Databases) -> None:
    url = databases.fresh()

    for service in ("ingest", "scoring", "routing"):
        _command(service, url=url)

    assert {schema for schema, _ in _tables(url)} == {"ingest", "scoring", "routing"}


@services
def test_a_revision_is_named_with_its_day(service: str) -> None:
    revisions = sorted((ROOT / "services" / service / "migrations" / "versions").glob("*.py"))

    assert revisions
    assert all(len(path.stem.split("_")) >= 5 and path.stem[:10].replace("_", "").isdigit() for path in revisions)


def _command(service: str, *, url: str) -> None:
    """As an operator would: the service's own command, with nothing but the address of the database."""
    environment = {**os.environ, "AFTERCALL_DATABASE_URL": url}
    done = subprocess.run([sys.executable, "-m", service, "migrate"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _tables(url: str) -> set[tuple[str, str]]:
    found = "select schemaname, tablename from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return {(schema, table) for schema, table in connection.execute(found)}
