"""Customers, what they allow, and who is to be called back. `metadata` is the whole service's; every feature's tables join it."""

from sqlalchemy import Boolean, CheckConstraint, Column, DateTime, Index, Integer, MetaData, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

customer = Table(
    "customer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False, server_default="0", doc="0: only its id is known so far"),
    Column("snapshot", JSONB(none_as_null=True), doc="the Customer message of that version, consents left out"),
    Column("erased_at", DateTime(timezone=True), doc="the person is forgotten; the row stays, so that no replay brings them back"),
    Column("merged_into", Uuid, doc="the customer this id became; always the last of a chain"),
)

consent = Table(
    "consent",
    metadata,
    Column("customer_id", Uuid),
    Column("address_ref", Text),
    Column("channel", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("customer_id", "address_ref", "channel", "purpose", name="consent_one_fact", postgresql_nulls_not_distinct=True),
    CheckConstraint("num_nonnulls(customer_id, address_ref) = 1", name="consent_one_subject"),
)

callback = Table(
    "callback",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("customer_id", Uuid),
    Column("opening_survey", Uuid),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("recovery_due", DateTime(timezone=True), doc="when to decide about its recovery survey; null: nothing to do"),
    Index("callback_customer", "customer_id", postgresql_where=text("is_open")),
    Index("callback_recovery", "recovery_due", postgresql_where=text("recovery_due is not null")),
)

own_call = Table(
    "own_call",
    metadata,
    Column("platform", Text, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("ref", Text, primary_key=True),
    Column("case_id", Uuid, nullable=False),
)
