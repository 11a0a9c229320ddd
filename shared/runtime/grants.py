"""What the role of a running service may do in its schema: work with rows, only append to histories, change no table.

The schema's owner grants it with every migration, so that a table is never there without its grants.
"""

from collections.abc import Iterator

from sqlalchemy import Connection, MetaData, make_url, text

from shared.runtime.errors import AftercallError

APPEND_ONLY = "append_only"
"""A table with `info={"append_only": True}` takes rows and never changes or loses one."""
_VERSION = "alembic_version"


class RoleMissing(AftercallError):
    """There is nobody to grant to."""

    def __init__(self, role: str) -> None:
        self.role = role
        said = f'There is no role "{role}"' if role else "The address of the database names no role"
        super().__init__(f"{said}: make the roles first (deploy/postgres/roles.sql), and let DATABASE_URL name the service's.")


def role_of(url: str) -> str:
    """Whom an address of a database signs in as; empty where it says nobody."""
    return make_url(url).username or ""


def grant(connection: Connection, role: str, *, schema: str, metadata: MetaData) -> None:
    """Let `role` work in the caller's schema, now and with the tables of later migrations. An owner needs no grants of its own."""
    if not connection.execute(text("select 1 from pg_roles where rolname = :role"), {"role": role}).first():
        raise RoleMissing(role)
    if connection.execute(text("select current_user = :role"), {"role": role}).scalar_one():
        return
    quote = connection.dialect.identifier_preparer.quote
    for statement in _statements(quote(schema), quote(role), [quote(name) for name in _histories(metadata)]):
        connection.execute(text(statement))


def _histories(metadata: MetaData) -> list[str]:
    return sorted(table.name for table in metadata.tables.values() if table.info.get(APPEND_ONLY))


def _statements(schema: str, role: str, histories: list[str]) -> Iterator[str]:
    rows, numbers = f"select, insert, update, delete on {{}} to {role}", f"usage on {{}} to {role}"
    yield f"grant usage on schema {schema} to {role}"
    yield f"grant {rows.format(f'all tables in schema {schema}')}"
    yield f"grant {numbers.format(f'all sequences in schema {schema}')}"
    yield f"alter default privileges in schema {schema} grant {rows.format('tables')}"
    yield f"alter default privileges in schema {schema} grant {numbers.format('sequences')}"
    yield f"revoke insert, update, delete on {schema}.{_VERSION} from {role}"
    for history in histories:
        yield f"revoke update, delete on {schema}.{history} from {role}"
