"""Callbacks: a call is wanted, was tried, and what became of the case."""

from typing import ClassVar, Literal

from shared.schemas.fields import (
    By,
    Code,
    Count,
    Flag,
    Id,
    Language,
    Name,
    PlatformRef,
    Points,
    Rate,
    Revision,
    Score,
    Sealed,
    When,
    Window,
    Words,
)
from shared.schemas.message import Message, Value

State = Literal["open", "assigned", "attempting", "reached", "resolved", "closed", "unreachable", "declined", "expired", "merged", "erased"]


class Reason(Value):
    """One summand of a priority."""

    code: Code
    points: Points


class CallbackRequested(Message):
    """A call is wanted, or not any more. No name, number or words: `claim` is the path that yields them to an authorised dialer."""

    TYPE: ClassVar[str] = "aftercall.callback-requested.v1"

    case_id: Id
    revision: Revision
    standing: Literal["wanted", "withdrawn"]
    customer_id: Id | None = None
    team: Code | None = None
    skill: Code | None = None
    language: Language | None = None
    priority: Points
    reasons: tuple[Reason, ...]
    level: Code
    due_at: When
    windows: tuple[Window, ...]
    attempt: Count
    attempts_max: Count
    score: Score | None = None
    channel: Code | None = None
    moment: Code | None = None
    ended_at: When | None = None
    claim: str


class CallbackAttempted(Message):
    """A try to call, by a guide, a dialer or the system. `platform_ref` is the call itself, so that it is never surveyed."""

    TYPE: ClassVar[str] = "aftercall.callback-attempted.v1"

    attempt_id: Name
    case_id: Id
    by: By
    started_at: When
    ended_at: When | None = None
    outcome: Code
    next_at: When | None = None
    resolved: Flag | None = None
    root_cause: Code | None = None
    note: Words | Sealed | None = None
    platform_ref: PlatformRef | None = None


class CallbackChanged(Message):
    """A case moved. `revision` is also the optimistic lock; `arm` and `arm_rate` are the hold-out draw."""

    TYPE: ClassVar[str] = "aftercall.callback-changed.v1"

    case_id: Id
    revision: Revision
    change: Code
    at: When
    by: By
    state: State
    before: State | None = None
    route: Literal["call", "review", "hold_out"]
    consent_basis: Code
    arm: Code
    arm_rate: Rate
    customer_id: Id | None = None
    survey_ids: tuple[Id, ...] = ()
    interaction_ids: tuple[Id, ...] = ()
    opened_at: When
    first_answered_at: When
    due_at: When
    overdue: Flag
    team: Code
    owner: str | None = None
    priority: Points
    level: Code
    attempts: Count
    policy_version: Count
    outcome: Code | None = None
    root_cause: Code | None = None
    reached: Flag | None = None
    platform_ref: PlatformRef | None = None
