"""The rota's versions: who works in which team, when, and for whom."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, func
from sqlalchemy.dialects.postgresql import JSONB


def rota_tables(metadata: MetaData) -> None:
    Table(
        "rota_version",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        Column("body", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        Column("created_by", Text, nullable=False),
        Column("active_from", DateTime(timezone=True)),
        Column("activated_by", Text),
    )
