"""Every answer that ever came, as it came."""

from sqlalchemy import Column, DateTime, Index, Integer, SmallInteger, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from scoring.people.tables import metadata

answer = Table(
    "answer",
    metadata,
    Column("id", Uuid, primary_key=True, server_default=text("uuidv7()")),
    Column("survey_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False, comment="order of arrival within the survey"),
    Column("channel", Text, nullable=False),
    Column(
        "became", Text, nullable=False, comment="what it became: first, amended, words, partial, late, other_channel, superseded, stale"
    ),
    Column("revision", Integer, comment="the revision it was published as"),
    Column("score", SmallInteger),
    Column("comment", JSONB(none_as_null=True), comment="Sealed"),
    Column("resolved", Text),
    Column("callback", Text),
    Column("callback_wish", JSONB(none_as_null=True)),
    Column("language", Text),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("survey_id", "number", name="answer_in_order"),
    Index("answer_partial", "survey_id", "number", postgresql_where=text("became = 'partial'")),
)
