"""One Alembic environment for all services: a schema, a version table and an advisory lock per service.

A service's `migrations/env.py` imports its metadata and `environment`, and calls `environment(metadata)`.
"""

import importlib
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command, context
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, NullPool, create_engine, text

from shared.runtime.database import Database, rows
from shared.runtime.grants import grant, role_of
from shared.runtime.settings import ServiceSettings

LOCK_TIMEOUT_S = 5.0


def configuration(service: str, *, url: str = "", lock_timeout_s: float = LOCK_TIMEOUT_S, role: str | None = None) -> Config:
    """Alembic's configuration of a service, whose `migrations` folder stands beside its package, or inside it where a wheel brought it."""
    package = Path(importlib.import_module(service).__path__[0])
    folder = next(folder for folder in (package / "migrations", package.parent / "migrations") if folder.is_dir())
    config = Config()
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.set_main_option("file_template", "%%(year)d_%%(month).2d_%%(day).2d_%%(rev)s_%%(slug)s")
    config.attributes.update(url=url, schema=service, lock_timeout_s=lock_timeout_s, role=role)
    return config


def environment(metadata: MetaData) -> None:
    """Run by `env.py`: lock, make the schema, do what Alembic was asked to, grant. A transaction per revision, under lock_timeout."""
    given = context.config.attributes
    schema: str = given["schema"]
    engine = create_engine(given["url"], poolclass=NullPool, connect_args=_connect(schema))
    with engine.connect() as connection:
        connection.execute(text("select pg_advisory_lock(hashtextextended(:name, 0))"), {"name": f"aftercall migrations {schema}"})
        _make_schema(connection, schema)
        connection.execute(text("select set_config('lock_timeout', :ms, false)"), {"ms": f"{int(given['lock_timeout_s'] * 1000)}ms"})
        connection.commit()
        connection.dialect.default_schema_name = schema
        context.configure(
            connection=connection,
            target_metadata=metadata,
            transaction_per_migration=True,
            compare_server_default=False,
        )
        with context.begin_transaction():
            context.run_migrations()
        if given["role"] is not None:
            grant(connection, given["role"], schema=schema, metadata=metadata)
            connection.commit()
    engine.dispose()


def _connect(schema: str) -> dict[str, str]:
    return {"options": f"-c search_path={schema}", "application_name": f"aftercall-{schema}-migrate"}


def _make_schema(connection: Connection, schema: str) -> None:
    """Where somebody else has made it for its owner, the owner need not be allowed to make schemas."""
    if not connection.execute(text("select 1 from pg_namespace where nspname = :schema"), {"schema": schema}).first():
        connection.execute(text(f'create schema "{schema}"'))


def upgrade(url: str, service: str, *, lock_timeout_s: float = LOCK_TIMEOUT_S, role: str | None = None) -> None:
    """Bring a service's schema to head and let `role` work in it; blocks, and waits for another that does the same."""
    command.upgrade(configuration(service, url=url, lock_timeout_s=lock_timeout_s, role=role), "head")


def migrate(settings: ServiceSettings) -> None:
    """The `migrate` command: as the owner of the schema, where there is one beside the role of the running service."""
    role = role_of(settings.database_url) if settings.migration_url else None
    upgrade(_owners(settings), settings.SERVICE, lock_timeout_s=settings.lock_timeout_s, role=role)


def new_revision(settings: ServiceSettings, words: str) -> None:
    """Write a revision with what the metadata has and the database has not."""
    command.revision(configuration(settings.SERVICE, url=_owners(settings)), words, autogenerate=True)


def _owners(settings: ServiceSettings) -> str:
    return settings.migration_url or settings.database_url


@lru_cache(maxsize=8)
def _revisions(service: str) -> tuple[frozenset[str], frozenset[str]]:
    """The newest revisions this code knows, and all of them."""
    script = ScriptDirectory.from_config(configuration(service))
    return frozenset(script.get_heads()), frozenset(each.revision for each in script.walk_revisions())


async def at_head(database: Database) -> bool:
    """Has the database every migration of this code? One this code does not know is a newer version's, made to fit the older."""
    async with database.transaction() as unit:
        if not await rows(unit.tx, "select 1 where to_regclass('alembic_version') is not null"):
            return False
        found = {str(each["version_num"]) for each in await rows(unit.tx, "select version_num from alembic_version")}
    heads, known = _revisions(database.schema)
    return heads <= found or bool(found - known)


def differences(url: str, service: str) -> list[Any]:
    """What autogenerate would still write after all migrations: an empty list, or a migration is missing."""
    found: list[Any] = []

    def compare(_: Any, migration: MigrationContext) -> list[Any]:
        found.extend(compare_metadata(migration, migration.opts["target_metadata"]))
        return []

    config = configuration(service, url=url)
    script = ScriptDirectory.from_config(config)
    with EnvironmentContext(config, script, fn=compare):
        script.run_env()
    return found
