"""The tables of contacts: the facts platforms sent, what is looked at again and when, and every revision of what was made of it."""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, PrimaryKeyConstraint, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

_STAMP = DateTime(timezone=True)
_NOW = text("now()")


def contact_tables(metadata: MetaData) -> list[Table]:
    return [_event(metadata), _contact(metadata), _interaction(metadata)]


def _event(metadata: MetaData) -> Table:
    """The inbox and the log of facts in one: `id` is uuid5(source, id, version), never taken from a time or an offset.

    `handles` is sealed; `refs` are the HMACs of what it holds. Rows go 35 days after `received`.
    """
    return Table(
        "event",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("hash", LargeBinary, nullable=False),
        Column("platform", Text, nullable=False),
        Column("account", Text, nullable=False),
        Column("root", Text, nullable=False),
        Column("leg", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("at", _STAMP),
        Column("facts", JSONB, nullable=False),
        Column("handles", JSONB),
        Column("refs", JSONB),
        Column("received", _STAMP, nullable=False, server_default=text("clock_timestamp()")),
        Index("event_contact", "root", "account", "platform"),
        Index("event_received", "received"),
    )


def _contact(metadata: MetaData) -> Table:
    """`episode` and `episode_started` number the latest episode for good; `digest` is null until something was published."""
    return Table(
        "contact",
        metadata,
        Column("platform", Text),
        Column("account", Text),
        Column("root", Text),
        Column("episode", Integer, nullable=False, server_default=text("0")),
        Column("episode_started", _STAMP),
        Column("due", _STAMP),
        Column("waits_for", Text),
        Column("digest", LargeBinary),
        PrimaryKeyConstraint("platform", "account", "root", name="contact_pkey"),
        Index("contact_due", "due", postgresql_where=text("due is not null")),
        postgresql_with={"fillfactor": "80"},
    )


def _interaction(metadata: MetaData) -> Table:
    """`digest` is of the unsealed content, because sealing the same twice differs; `payload` is the message as sent."""
    return Table(
        "interaction",
        metadata,
        Column("id", Uuid),
        Column("revision", Integer),
        Column("platform", Text, nullable=False),
        Column("account", Text, nullable=False),
        Column("root", Text, nullable=False),
        Column("episode", Integer, nullable=False),
        Column("customer_id", Uuid),
        Column("purpose", Text, nullable=False),
        Column("standing", Text, nullable=False),
        Column("ended_at", _STAMP, nullable=False),
        Column("digest", LargeBinary, nullable=False),
        Column("payload", JSONB, nullable=False),
        Column("created", _STAMP, nullable=False, server_default=_NOW),
        PrimaryKeyConstraint("id", "revision", name="interaction_pkey"),
        Index("interaction_root", "root", "account", "platform"),
        Index("interaction_customer", "customer_id", "ended_at", postgresql_where=text("customer_id is not null")),
    )
