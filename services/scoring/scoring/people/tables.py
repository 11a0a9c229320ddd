"""Customers and consents as scoring knows them. `metadata` is the whole service's; every feature's tables join it."""

from sqlalchemy import CheckConstraint, Column, DateTime, Integer, MetaData, Table, Text, UniqueConstraint, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()

customer = Table(
    "customer",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("version", Integer, nullable=False, server_default="0", comment="0: only its id is known so far"),
    Column("snapshot", JSONB(none_as_null=True), comment="the Customer message of that version, consents left out"),
    Column("merged_into", Uuid, comment="the customer this id became; always the last of a chain"),
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
    UniqueConstraint(
        "customer_id", "address_ref", "channel", "purpose", name="consent_one_fact", postgresql_nulls_not_distinct=True
    ),
    CheckConstraint("num_nonnulls(customer_id, address_ref) = 1", name="consent_one_subject"),
)
