"""The survey of one person about one anchor, and pauses of sending."""

from sqlalchemy import CheckConstraint, Column, DateTime, Float, Index, Integer, LargeBinary, Table, Text, UniqueConstraint, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from scoring.people.tables import metadata

survey = Table(
    "survey",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("anchor", Uuid, nullable=False),
    Column("customer_id", Uuid),
    Column("interaction_id", Uuid),
    Column("interaction_revision", Integer),
    Column("decision_id", Uuid, nullable=False),
    Column("policy_version", Integer, nullable=False),
    Column("cell", Text),
    Column("draw", Float),
    Column("rate", Float),
    Column("channel", Text, nullable=False),
    Column("address_ref", Text, nullable=False),
    Column("address", JSONB, nullable=False, doc="Sealed"),
    Column("language", Text),
    Column("contact", JSONB(none_as_null=True), doc="InteractionCompleted of that revision, without its customer"),
    Column("aged_from", DateTime(timezone=True), nullable=False, doc="the moment the age limit counts from"),
    Column("state", Text, nullable=False),
    Column("reason", Text, doc="why it is unsent"),
    Column("asked_at", DateTime(timezone=True), nullable=False, doc="quarantine's clock: reserved, then really sent"),
    Column("send_at", DateTime(timezone=True), nullable=False),
    Column("due", DateTime(timezone=True), doc="when a sender must look at it next; null: never"),
    Column("lease_until", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("gateway", Text),
    Column("gateway_ref", Text),
    Column("sent_at", DateTime(timezone=True)),
    Column("delivered_at", DateTime(timezone=True)),
    Column("expires_at", DateTime(timezone=True)),
    Column("token_hash", LargeBinary, unique=True, doc="SHA-256"),
    Column("token", JSONB(none_as_null=True), doc="Sealed, only until the sending is settled"),
    UniqueConstraint("kind", "anchor", name="survey_one_per_anchor"),
    CheckConstraint("state in ('planned', 'sending', 'sent', 'unknown', 'unsent')", name="survey_state"),
    CheckConstraint("(state = 'unsent') = (reason is not null)", name="survey_unsent_has_reason"),
    Index("survey_customer", "customer_id", "asked_at"),
    Index("survey_address", "address_ref", "asked_at"),
    Index("survey_interaction", "interaction_id"),
    Index("survey_due", "due", postgresql_where=text("due is not null")),
    Index("survey_lease", "lease_until", postgresql_where=text("lease_until is not null")),
)

sending_pause = Table(
    "sending_pause",
    metadata,
    Column("scope", Text, primary_key=True, doc="all, a channel, or a policy"),
    Column("value", Text, primary_key=True, server_default="", doc="the channel's code or the policy's version; empty for all"),
    Column("paused_at", DateTime(timezone=True), nullable=False),
    Column("paused_by", Text, nullable=False),
)
