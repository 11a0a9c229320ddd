"""Messages the development inbox was given."""

from sqlalchemy import Column, DateTime, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from scoring.people.tables import metadata

inbox_message = Table(
    "inbox_message",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("idempotency_key", Text, nullable=False, unique=True),
    Column("channel", Text, nullable=False),
    Column("address", JSONB, nullable=False, doc="Sealed"),
    Column("subject", Text),
    Column("body", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False, server_default=text("now()")),
)
