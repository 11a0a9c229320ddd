"""The tables every service has in its own schema: one definition for the metadata and for the first migration."""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.runtime.grants import APPEND_ONLY

_NOW = text("now()")
_STAMP = DateTime(timezone=True)


def _uuid7() -> Column[object]:
    return Column("id", Uuid, primary_key=True, server_default=text("uuidv7()"))


def _at(name: str) -> Column[object]:
    return Column(name, _STAMP, nullable=False, server_default=_NOW)


def runtime_tables(metadata: MetaData) -> list[Table]:
    """Add the runtime's tables to a service's metadata."""
    return [*_messages(metadata), *_faults(metadata), *_people(metadata)]


def _messages(metadata: MetaData) -> list[Table]:
    outbox = Table(
        "outbox",
        metadata,
        Column("seq", BigInteger, Identity(always=True), primary_key=True),
        Column("id", Uuid, nullable=False, server_default=text("uuidv7()")),
        Column("shard", SmallInteger, nullable=False),
        Column("topic", Text, nullable=False),
        Column("key", Text),
        Column("type", Text),
        Column("correlation", Text),
        Column("traceparent", Text),
        Column("payload", Text),
        Column("dead_letter", Uuid),
        _at("created"),
        CheckConstraint("(payload is null) <> (dead_letter is null)", name="outbox_carries_one"),
        Index("outbox_shard", "shard", "seq"),
    )
    inbox = Table(
        "inbox",
        metadata,
        Column("source", Text, nullable=False),
        Column("id", Text, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        _at("received"),
        PrimaryKeyConstraint("source", "id", name="inbox_pkey"),
    )
    offsets = Table(
        "consumer_offset",
        metadata,
        Column("topic", Text, nullable=False),
        Column("partition", Integer, nullable=False),
        Column("owner", Uuid),
        Column("next", BigInteger, nullable=False, server_default=text("0")),
        Column("read_to", _STAMP, nullable=False, server_default=text("'-infinity'")),
        Column("read_at", _STAMP, nullable=False, server_default=text("clock_timestamp()")),
        PrimaryKeyConstraint("topic", "partition", name="consumer_offset_pkey"),
    )
    return [outbox, inbox, offsets]


def _faults(metadata: MetaData) -> list[Table]:
    dead_letter = Table(
        "dead_letter",
        metadata,
        _uuid7(),
        Column("topic", Text, nullable=False),
        Column("partition", Integer),
        Column("offset", BigInteger),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("reason", Text, nullable=False),
        Column("path", Text),
        Column("state", Text, nullable=False, server_default=text("'waiting'")),
        Column("count", Integer, nullable=False, server_default=text("1")),
        _at("first_at"),
        _at("last_at"),
        UniqueConstraint("topic", "reason", "hash", name="dead_letter_once"),
        CheckConstraint("state in ('waiting', 'replayed', 'discarded')", name="dead_letter_state"),
        Index("dead_letter_waiting", "topic", "first_at", postgresql_where=text("state = 'waiting'")),
    )
    cap = Table(
        "topic_cap",
        metadata,
        Column("topic", Text, primary_key=True),
        Column("reason", Text, nullable=False),
        _at("tripped_at"),
    )
    waiting = Table(
        "waiting",
        metadata,
        _uuid7(),
        Column("topic", Text, nullable=False),
        Column("reference", Text, nullable=False),
        Column("key", LargeBinary),
        Column("headers", JSONB, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        Column("logged", _STAMP, nullable=False),
        Column("tries", Integer, nullable=False, server_default=text("0")),
        Column("due", _STAMP, nullable=False),
        Column("until", _STAMP, nullable=False),
        UniqueConstraint("topic", "hash", name="waiting_once"),
        Index("waiting_due", "due"),
    )
    return [dead_letter, _runs(metadata), cap, waiting]


def _runs(metadata: MetaData) -> Table:
    """`path` is empty where the cause names no field; `scope` is `cause`, or names the selection in `chosen`."""
    return Table(
        "dead_letter_run",
        metadata,
        _uuid7(),
        Column("action", Text, nullable=False),
        Column("topic", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("path", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("chosen", JSONB),
        Column("note", Text),
        Column("by_kind", Text, nullable=False),
        Column("by_ref", Text, nullable=False),
        Column("total", Integer, nullable=False),
        Column("taken", Integer, nullable=False, server_default=text("0")),
        Column("left_waiting", Integer, nullable=False, server_default=text("0")),
        Column("after", Uuid),
        _at("started"),
        Column("finished", _STAMP),
        CheckConstraint("action in ('replay', 'discard')", name="dead_letter_run_action"),
        Index("dead_letter_run_once", "action", "topic", "reason", "path", "scope", unique=True, postgresql_where=text("finished is null")),
    )


def forgetting_table(metadata: MetaData) -> Table:
    """Of a service that is told of erasures: whose traces are still to be looked for, and how far that was done. Gone when it is over."""
    return Table(
        "forgetting",
        metadata,
        Column("request_id", Uuid, primary_key=True),
        Column("customer_id", Uuid, nullable=False),
        Column("traces", JSONB, nullable=False),
        Column("counts", JSONB, nullable=False),
        Column("letters_to", Uuid, nullable=False, server_default=text("'00000000-0000-0000-0000-000000000000'")),
        _at("asked"),
    )


def _people(metadata: MetaData) -> list[Table]:
    api_key = Table(
        "api_key",
        metadata,
        Column("id", Text, primary_key=True),
        Column("hash", LargeBinary, nullable=False),
        Column("name", Text, nullable=False),
        Column("scopes", JSONB, nullable=False),
        Column("platform", Text),
        Column("account", Text),
        _at("created"),
        Column("expires", _STAMP),
        Column("revoked", Boolean, nullable=False, server_default=text("false")),
    )
    audit = Table(
        "audit",
        metadata,
        _uuid7(),
        _at("at"),
        Column("by_kind", Text, nullable=False),
        Column("by_ref", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("subject", Text, nullable=False),
        Column("detail", JSONB, nullable=False, server_default=text("'{}'")),
        info={APPEND_ONLY: True},
    )
    return [api_key, audit]


class _Operations(Protocol):
    def get_bind(self) -> object: ...


FIRST = frozenset({"outbox", "inbox", "consumer_offset", "dead_letter", "topic_cap", "waiting", "api_key", "audit"})
"""What the first migration of every service made; what came later has a migration of its own."""


def create_runtime_tables(op: _Operations, only: Collection[str] = FIRST) -> None:
    """For a service's migration; `op` is alembic's. Later changes to these tables are migrations of their own."""
    metadata = MetaData()
    tables = [table for table in (*runtime_tables(metadata), forgetting_table(metadata)) if table.name in only]
    metadata.create_all(op.get_bind(), tables)  # type: ignore[arg-type]  # alembic types its bind as object here
