"""Versions of the catalogue; the active one is the latest whose time has come."""

from sqlalchemy import Column, DateTime, Integer, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB


def catalogue_tables(metadata: MetaData) -> list[Table]:
    return [
        Table(
            "catalogue_version",
            metadata,
            Column("version", Integer, primary_key=True, autoincrement=False),
            Column("body", JSONB, nullable=False),
            Column("note", Text),
            Column("created", DateTime(timezone=True), nullable=False, server_default=text("now()")),
            Column("created_by", Text, nullable=False),
            Column("active_from", DateTime(timezone=True)),
            Column("activated_by", Text),
        )
    ]
