"""The tables of people. Concurrent writers lock a handle's row; who holds it stands beside, for a household shares a number."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

_NOW = text("now()")


def people_tables(metadata: MetaData) -> list[Table]:
    return [_customer(metadata), _handle(metadata), _holding(metadata), _consent(metadata)]


def _customer(metadata: MetaData) -> Table:
    """`profile` is the sealed account of who said what, `snapshot` the customer as messages carry it. A merged row points at its heir,
    an erased one, which has neither, at its erasure."""
    return Table(
        "customer",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("number", BigInteger, Identity(always=True, start=1000), nullable=False, unique=True),
        Column("version", Integer, nullable=False, server_default=text("0")),
        Column("known", Boolean, nullable=False, server_default=text("false")),
        Column("merged_into", Uuid),
        Column("erasure", Uuid),
        Column("profile", JSONB),
        Column("snapshot", JSONB),
        Column("created", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Column("changed", DateTime(timezone=True), nullable=False, server_default=_NOW),
        Index("customer_merged", "merged_into", postgresql_where=text("merged_into is not null")),
    )


def _handle(metadata: MetaData) -> Table:
    """Handles of erased people are remembered, with their `erasure`, until `due`."""
    return Table(
        "handle",
        metadata,
        Column("kind", Text, primary_key=True),
        Column("scope", Text, primary_key=True),
        Column("ref", Text, primary_key=True),
        Column("erasure", Uuid),
        Column("due", DateTime(timezone=True)),
        Index("handle_due", "due", postgresql_where=text("due is not null")),
        CheckConstraint("kind in ('member', 'contact', 'email', 'phone')", name="handle_kind"),
    )


def _holding(metadata: MetaData) -> Table:
    """One row per holder; a member or contact id has one holder only. `directory`: the directory said so, not a contact."""
    return Table(
        "holding",
        metadata,
        Column("kind", Text, primary_key=True),
        Column("scope", Text, primary_key=True),
        Column("ref", Text, primary_key=True),
        Column("customer_id", Uuid, primary_key=True),
        Column("directory", Boolean, nullable=False, server_default=text("false")),
        Column("since", DateTime(timezone=True), nullable=False, server_default=_NOW),
        ForeignKeyConstraint(
            ["kind", "scope", "ref"], ["handle.kind", "handle.scope", "handle.ref"], name="holding_handle", ondelete="cascade"
        ),
        ForeignKeyConstraint(["customer_id"], ["customer.id"], name="holding_customer", ondelete="cascade"),
        Index("holding_one_person", "kind", "scope", "ref", unique=True, postgresql_where=text("kind in ('member', 'contact')")),
        Index("holding_customer_id", "customer_id"),
        Index("holding_ref", "ref"),
    )


def _consent(metadata: MetaData) -> Table:
    return Table(
        "consent",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("channel", Text, primary_key=True),
        Column("purpose", Text, primary_key=True),
        Column("customer_id", Uuid),
        Column("address_ref", Text),
        Column("state", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("source", Text, nullable=False),
        CheckConstraint("(customer_id is null) <> (address_ref is null)", name="consent_one_subject"),
        CheckConstraint("state in ('granted', 'refused')", name="consent_state"),
        Index("consent_customer", "customer_id", postgresql_where=text("customer_id is not null")),
    )
