"""Tables of cases: the case as it stands, each of its revisions, the tries to call, one row per answered survey, and the policies."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Float, Index, Integer, MetaData, Sequence, Table, Text, Uuid, func, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.runtime.grants import APPEND_ONLY

OPEN_CASE = "state in ('open', 'assigned', 'attempting', 'reached', 'resolved')"


def _when(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _texts(*names: str, nullable: bool = True) -> list[Column[str]]:
    return [Column(name, Text, nullable=nullable) for name in names]


def _documents(*names: str, empty: str | None = None) -> list[Column[object]]:
    default = text(f"'{empty}'::jsonb") if empty else None
    return [Column(name, JSONB, nullable=empty is None, server_default=default) for name in names]


def case_tables(metadata: MetaData) -> None:
    Sequence("case_number", start=10001, metadata=metadata)
    _cases(metadata)
    _case_history(metadata)
    _attempt(metadata)
    _answer(metadata)
    _policy_version(metadata)


def _cases(metadata: MetaData) -> None:
    cases = Table(
        "cases",
        metadata,
        Column("id", Uuid, primary_key=True),
        Column("number", BigInteger, nullable=False, unique=True),
        Column("revision", Integer, nullable=False),
        *_texts("state", "route", "consent_basis", "arm", "kind", "level", "resolved", "callback", "team", nullable=False),
        *[Column(name, Float, nullable=False) for name in ("arm_rate",)],
        *[Column(name, Integer, nullable=False) for name in _COUNTS],
        *[Column(name, Boolean, nullable=False) for name in ("reached", "overdue", "requested")],
        *[_when(name, nullable=False) for name in ("due_at", "opened_at", "first_answered_at", "changed_at")],
        *[_when(name) for name in _MOMENTS],
        Column("customer_id", Uuid),
        Column("merged_into", Uuid),
        *_texts("point_ref", "skill", "language", "owner", "owner_name", "channel", "moment", "outcome", "root_cause"),
        *_documents("customer"),
        *_documents("survey_ids", "interaction_ids", "reasons", "words", "windows", "wish", "dropped_refs", empty="[]"),
    )
    Index(
        "cases_one_open_per_customer", cases.c.customer_id, unique=True, postgresql_where=text(f"customer_id is not null and {OPEN_CASE}")
    )
    Index("cases_by_customer", cases.c.customer_id)
    Index("cases_queue", cases.c.due_at, cases.c.priority.desc(), cases.c.number, postgresql_where=text(OPEN_CASE))
    Index("cases_changed", cases.c.changed_at)
    for due in ("overdue_on", "closes_on", "expires_on", "unreachable_on", "lease_until"):
        Index(f"cases_{due}", cases.c[due], postgresql_where=text(f"{due} is not null"))


_COUNTS = ("policy_version", "priority", "score", "transfers", "contacts_7d", "attempts", "failed_attempts", "request_revision")
_MOMENTS = (
    "owner_since",
    "ended_at",
    "first_failed_at",
    "first_attempt_at",
    "reached_at",
    "next_at",
    "resolved_at",
    "ended_case_at",
    "overdue_on",
    "closes_on",
    "expires_on",
    "unreachable_on",
    "lease_until",
)


def _case_history(metadata: MetaData) -> None:
    Table(
        "case_history",
        metadata,
        Column("case_id", Uuid, primary_key=True),
        Column("revision", Integer, primary_key=True),
        _when("at", nullable=False),
        *_texts("change", "state", nullable=False),
        *_texts("before"),
        Column("by", JSONB, nullable=False),
        Column("detail", JSONB, nullable=False),
        info={APPEND_ONLY: True},
    )


def _attempt(metadata: MetaData) -> None:
    Table(
        "attempt",
        metadata,
        Column("case_id", Uuid, primary_key=True),
        Column("attempt_id", Text, primary_key=True),
        *_texts("outcome", nullable=False),
        *[_when(name, nullable=False) for name in ("started_at", "recorded_at")],
        *[_when(name) for name in ("ended_at", "next_at")],
        Column("revision", Integer, nullable=False),
        Column("resolved", Boolean),
        Column("noted", Boolean, nullable=False),
        *_texts("root_cause"),
        Column("by", JSONB, nullable=False),
        *_documents("note", "platform_ref"),
    )


def _answer(metadata: MetaData) -> None:
    """One row per survey, of the highest revision: what team tiles and recovery count. `feedback` only where a case tells it."""
    answer = Table(
        "answer",
        metadata,
        Column("survey_id", Uuid, primary_key=True),
        Column("revision", Integer, nullable=False),
        *_texts("kind", "band", nullable=False),
        Column("anchor", Uuid, nullable=False),
        Column("score", Integer, nullable=False),
        Column("counted", Boolean, nullable=False),
        _when("answered_at", nullable=False),
        *_texts("team", "channel"),
        Column("customer_id", Uuid),
        Column("case_id", Uuid),
        *_documents("feedback"),
    )
    Index("answer_by_case", answer.c.case_id, postgresql_where=text("case_id is not null"))
    Index("answer_by_team", answer.c.team, answer.c.answered_at)
    Index("answer_by_anchor", answer.c.anchor, postgresql_where=text("kind = 'recovery'"))


def _policy_version(metadata: MetaData) -> None:
    Table(
        "policy_version",
        metadata,
        Column("version", Integer, primary_key=True, autoincrement=False),
        _when("active_from"),
        Column("body", JSONB, nullable=False),
        Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
        *_texts("created_by", nullable=False),
    )
