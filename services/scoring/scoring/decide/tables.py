"""Policies, and decisions with their earlier revisions."""

from sqlalchemy import Column, DateTime, Float, Index, Integer, Sequence, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from scoring.people.tables import metadata

FIRST_DRAFT = 3
"""Versions 1 and 2 are the first policies of `tnps` and `recovery`; drafts count on from here."""

policy_version = Sequence("policy_version", start=FIRST_DRAFT, metadata=metadata)

policy = Table(
    "policy",
    metadata,
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("document", JSONB, nullable=False),
    Column("note", Text, nullable=False),
    Column("written_by", Text, nullable=False),
    Column("written_at", DateTime(timezone=True), nullable=False),
    Column("active_from", DateTime(timezone=True), doc="null: a draft"),
    Index("policy_in_force", "kind", "active_from"),
)

decision = Table(
    "decision",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("anchor", Uuid, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("customer_id", Uuid),
    Column("interaction_id", Uuid),
    Column("interaction_revision", Integer),
    Column("platform", Text),
    Column("account", Text),
    Column("ref", Text),
    Column("team", Text),
    Column("outcome", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("phase", Text, nullable=False),
    Column("verdicts", JSONB, nullable=False, doc="a letter for each of the policy's rules in order, and their details (decide.brief)"),
    Column("policy_version", Integer, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    Column("cell", Text),
    Column("draw", Float),
    Column("rate", Float),
    Column("survey_id", Uuid),
    Column("channel", Text),
    Column("send_at", DateTime(timezone=True)),
    Column("retry_at", DateTime(timezone=True)),
    Column("give_up_at", DateTime(timezone=True), doc="after it a missing fact counts as a no"),
    Column("aged_from", DateTime(timezone=True), nullable=False, doc="the moment the age limit counts from"),
    Column("facts", JSONB, nullable=False, doc="what the rules saw, in the order of decide.brief"),
    Column("contact", JSONB(none_as_null=True), doc="the whole contact while it may still be judged again by a timer"),
    UniqueConstraint("kind", "anchor", name="decision_one_per_anchor"),
    Index("decision_contact", "ref", "account", "platform"),
    Index("decision_about_interaction", "interaction_id", postgresql_where=text("anchor <> interaction_id")),
    Index("decision_customer", "customer_id"),
    Index("decision_retry", "retry_at", postgresql_where=text("retry_at is not null")),
)

decision_revision = Table(
    "decision_revision",
    metadata,
    Column("decision_id", Uuid, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("said", JSONB, nullable=False, doc="the row as it stood before the next revision"),
)
