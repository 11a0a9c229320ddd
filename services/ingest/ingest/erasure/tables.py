"""Who asked to be forgotten, how far the search for what is left of them has come, and what each service reported."""

from sqlalchemy import Boolean, Column, DateTime, ForeignKeyConstraint, Index, MetaData, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

_STAMP = DateTime(timezone=True)


def erasure_tables(metadata: MetaData) -> list[Table]:
    return [_erasure(metadata), _report(metadata)]


def _erasure(metadata: MetaData) -> Table:
    """`due` is null once nothing is left to search. Until then `refs` are the HMACs and `traces` the sealed values to look for, and
    `events_to` and `letters_to` how far that was done. `finished` when every service has reported that it is."""
    return Table(
        "erasure",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("customer_ids", JSONB, nullable=False),
        Column("basis", Text, nullable=False),
        Column("requested_at", _STAMP, nullable=False),
        Column("due", _STAMP),
        Column("refs", JSONB, nullable=False),
        Column("traces", JSONB),
        Column("events_to", _STAMP, nullable=False, server_default=text("'-infinity'")),
        Column("letters_to", Uuid, nullable=False, server_default=text("'00000000-0000-0000-0000-000000000000'")),
        Column("counts", JSONB, nullable=False),
        Column("finished", _STAMP),
        Index("erasure_due", "due", postgresql_where=text("due is not null")),
        Index("erasure_unfinished", "requested_at", postgresql_where=text("finished is null")),
    )


def _report(metadata: MetaData) -> Table:
    return Table(
        "erasure_report",
        metadata,
        Column("request_id", Uuid, primary_key=True),
        Column("service", Text, primary_key=True),
        Column("counts", JSONB, nullable=False),
        Column("clean_by", _STAMP, nullable=False),
        Column("done", Boolean, nullable=False),
        Column("reported_at", _STAMP, nullable=False, server_default=text("now()")),
        ForeignKeyConstraint(["request_id"], ["erasure.id"], name="erasure_report_request"),
    )
