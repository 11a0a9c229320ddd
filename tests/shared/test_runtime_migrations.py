"""The shared Alembic environment: a schema and a version table per service, one migration at a time, and a check for what is missing."""

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from shared.runtime.database import Database
from shared.runtime.migrations import at_head, differences, upgrade

METADATA = """
from sqlalchemy import Column, Integer, MetaData, Table, Text
from shared.runtime.tables import runtime_tables
metadata = MetaData()
runtime_tables(metadata)
Table("thing", metadata, Column("id", Integer, primary_key=True), Column("name", Text, nullable=False))
"""
ENV = """
from {package} import metadata
from shared.runtime.migrations import environment
environment(metadata)
"""
FIRST = """
revision, down_revision = "0001", None
import sqlalchemy as sa
from alembic import op
from shared.runtime.tables import create_runtime_tables
def upgrade():
    create_runtime_tables(op)
    create_runtime_tables(op, {"dead_letter_run"})
    op.create_table("thing", sa.Column("id", sa.Integer, primary_key=True))
"""
SECOND = """
revision, down_revision = "0002", "0001"
from alembic import op
def upgrade():
    op.execute("alter table thing add column name text not null default ''")
    op.execute("alter table thing alter column name drop default")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[str]:
    """A service of two revisions, the second not there yet."""
    name = f"toy_{abs(hash(request.node.name)) % 10_000}"
    _write(tmp_path / name / "__init__.py", METADATA)
    _write(tmp_path / "migrations" / "env.py", ENV.format(package=name))
    _write(tmp_path / "migrations" / "versions" / "2026_11_24_0001_first.py", FIRST)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text))


def _complete(package: str) -> None:
    root = Path(sys.modules[package].__file__ or "").parent.parent
    _write(root / "migrations" / "versions" / "2026_11_25_0002_second.py", SECOND)


def _connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_a_service_gets_a_schema_of_its_own_with_its_version_table_inside(database_url: str, package: str) -> None:
    upgrade(database_url, package)
    with _connect(database_url) as connection:
        found = connection.execute(
            "select table_name, table_schema from information_schema.tables where table_name in ('thing', 'alembic_version')"
        )
        assert set(found.fetchall()) == {("thing", package), ("alembic_version", package)}


def test_what_the_migrations_lack_is_found_and_nothing_else(database_url: str, package: str) -> None:
    upgrade(database_url, package)
    assert [(change[0], change[3].name) for change in differences(database_url, package)] == [("add_column", "name")]
    _complete(package)
    upgrade(database_url, package)
    assert differences(database_url, package) == []


def test_another_services_tables_are_no_difference(database_url: str, package: str) -> None:
    upgrade(database_url, package)
    with _connect(database_url) as connection:
        connection.execute("create table public.stranger (id int)")
    assert len(differences(database_url, package)) == 1


async def test_a_database_is_at_head_only_with_every_revision(database_url: str, package: str) -> None:
    database = Database(database_url, schema=package)
    assert not await at_head(database)
    upgrade(database_url, package)
    assert await at_head(database)
    with _connect(database_url) as connection:
        connection.execute(f"delete from {package}.alembic_version")
    assert not await at_head(database)
    await database.close()


async def test_an_older_version_runs_on_over_a_newer_database(database_url: str, package: str) -> None:
    upgrade(database_url, package)
    database = Database(database_url, schema=package)
    with _connect(database_url) as connection:
        connection.execute(f"update {package}.alembic_version set version_num = '0009'")
    assert await at_head(database)
    await database.close()


def test_several_that_migrate_at_once_wait_for_each_other(database_url: str, package: str) -> None:
    code = f"from shared.runtime.migrations import upgrade; upgrade({database_url!r}, {package!r})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([sys.path[0], str(Path.cwd())])}
    running = [subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    ends = [(process.communicate()[1], process.returncode) for process in running]
    assert ends == [("", 0)] * 3


def test_a_revision_gives_up_on_a_lock_instead_of_queueing_everybody_behind_it(database_url: str, package: str) -> None:
    upgrade(database_url, package)
    _complete(package)
    with _connect(database_url) as connection, connection.transaction():
        connection.execute(f"lock table {package}.thing in access share mode")
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(database_url, package, lock_timeout_s=0.1)
    upgrade(database_url, package)
    assert differences(database_url, package) == []
