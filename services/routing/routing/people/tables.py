"""What routing keeps of customers: the newest snapshot it was told of, whose id became whose, who was erased, and consents."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB


def people_tables(metadata: MetaData) -> None:
    Table(
        "customer",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("version", Integer, nullable=False, server_default=text("0")),
        Column("snapshot", JSONB),
        Column("merged_into", Uuid),
        Column("erased_at", DateTime(timezone=True)),
    )
    Table(
        "consent",
        metadata,
        Column("subject", Text, primary_key=True),
        Column("channel", Text, primary_key=True),
        Column("purpose", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("source", Text, nullable=False),
        Column("customer_id", Uuid),
        Column("address_ref", Text),
    )
