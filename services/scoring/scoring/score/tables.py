"""The score of each survey, and its counts at two grains."""

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from scoring.people.tables import metadata

feedback = Table(
    "feedback",
    metadata,
    Column("survey_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("anchor", Uuid, nullable=False),
    Column("origin", Text, nullable=False),
    Column("score", SmallInteger, nullable=False),
    Column("band", Text, nullable=False),
    Column("counted", Boolean, nullable=False),
    Column("uncounted", Text, comment="why it is not counted"),
    Column("scoring_version", Integer, nullable=False),
    Column("policy_version", Integer),
    Column("revision", Integer, nullable=False, comment="of what stands; page forms name it"),
    Column("published", Integer, nullable=False, comment="the last revision published, also of answers that did not change what stands"),
    Column("answered_by", Text, nullable=False),
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("amendable_until", DateTime(timezone=True), nullable=False),
    Column("comment", JSONB(none_as_null=True), comment="Sealed"),
    Column("comment_language", Text),
    Column("resolved", Text, nullable=False),
    Column("callback", Text, nullable=False),
    Column("callback_wish", JSONB, nullable=False),
    Column("cell", Text),
    Column("rate", Float),
    Column("day", Date, nullable=False, comment="of the answer, in the company's zone"),
    Column("channel", Text, nullable=False),
    Column("segment", Text, nullable=False),
    Column("moment", Text, nullable=False),
    Column("team", Text, nullable=False),
    CheckConstraint("score between 0 and 10", name="feedback_on_the_scale"),
    CheckConstraint("counted = (uncounted is null)", name="feedback_uncounted_has_reason"),
    CheckConstraint("band in ('detractor', 'passive', 'promoter')", name="feedback_band"),
    CheckConstraint("published >= revision", name="feedback_published"),
    Index("feedback_day", "kind", "day"),
)


def _tally(name: str, *cell: Column[str]) -> Table:
    """Few rows, changed often: half-empty pages keep updates in place."""
    return Table(
        name,
        metadata,
        Column("day", Date, nullable=False),
        *cell,
        Column("promoters", Integer, nullable=False),
        Column("passives", Integer, nullable=False),
        Column("detractors", Integer, nullable=False),
        PrimaryKeyConstraint("day", *(column.name for column in cell), name=f"{name}_pkey"),
        postgresql_with={"fillfactor": 80},
    )


def _code(name: str) -> Column[str]:
    return Column(name, Text, nullable=False)


tally_by_segment = _tally("tally_by_segment", _code("kind"), _code("channel"), _code("segment"), _code("moment"))
tally_by_team = _tally("tally_by_team", _code("kind"), _code("team"), _code("channel"))
