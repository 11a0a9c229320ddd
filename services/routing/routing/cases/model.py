"""A case: one unhappy customer who is owed a call, from the answer that opened it to its end."""

from collections.abc import Mapping
from dataclasses import dataclass as frozen_value
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field, JsonValue
from pydantic.dataclasses import dataclass

from shared.schemas import Customer, PlatformRef, Window


class State(StrEnum):
    OPEN = "open"
    ASSIGNED = "assigned"
    ATTEMPTING = "attempting"
    REACHED = "reached"
    RESOLVED = "resolved"
    CLOSED = "closed"
    UNREACHABLE = "unreachable"
    DECLINED = "declined"
    EXPIRED = "expired"
    MERGED = "merged"
    ERASED = "erased"


WORKABLE = frozenset({State.OPEN, State.ASSIGNED, State.ATTEMPTING, State.REACHED})
"""States in which somebody still has to call."""

OPEN_STATES = WORKABLE | {State.RESOLVED}
"""What "open case" means everywhere: a customer has at most one."""


class Route(StrEnum):
    CALL = "call"
    REVIEW = "review"
    HOLD_OUT = "hold_out"


class Level(StrEnum):
    NORMAL = "normal"
    HIGH = "high"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """The higher, the more urgent."""
        return list(Level).index(self)


class Outcome(StrEnum):
    REACHED = "reached"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    VOICEMAIL = "voicemail"
    WRONG_NUMBER = "wrong_number"
    DECLINED = "declined"
    DO_NOT_CALL = "do_not_call"
    RESCHEDULE = "reschedule"
    FAILED = "failed"


CAUSES = ("explanation", "transfers", "wait", "error", "other")
"""Root causes a guide can name on the console; the code is an open set, dialers may send others."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a priority: its points add up to the whole with the others."""

    code: str
    points: int


@dataclass(frozen=True, slots=True)
class By:
    """Who did it. `ref` is the person's or machine's id, `name` what colleagues read on the console."""

    kind: str
    ref: str
    name: str | None = None


SYSTEM = By(kind="system", ref="routing")


@dataclass(frozen=True, slots=True)
class Case:
    """A case as its row keeps it. Times are aware and in UTC; `number` is what people say aloud.

    `score`, `channel`, `moment`, `ended_at`, `transfers`, `resolved` and `callback` speak of the answer that set the priority.
    `overdue_on`, `closes_on`, `expires_on` and `unreachable_on` are due columns: null means no timer looks. So is `lease_until`: a dialer
    has the case until then, null where a person has it.
    """

    id: UUID
    number: int
    revision: int
    state: State
    route: Route
    consent_basis: str
    arm: str
    arm_rate: float
    kind: str
    policy_version: int
    priority: int
    level: Level
    due_at: datetime
    opened_at: datetime
    first_answered_at: datetime
    changed_at: datetime
    score: int
    team: str
    customer_id: UUID | None = None
    customer: Customer | None = None
    survey_ids: tuple[UUID, ...] = ()
    interaction_ids: tuple[UUID, ...] = ()
    point_ref: str | None = None
    skill: str | None = None
    language: str | None = None
    owner: str | None = None
    owner_name: str | None = None
    owner_since: datetime | None = None
    reasons: tuple[Reason, ...] = ()
    words: tuple[str, ...] = ()
    windows: tuple[Window, ...] = ()
    wish: tuple[Window, ...] = ()
    channel: str | None = None
    moment: str | None = None
    ended_at: datetime | None = None
    transfers: int = 0
    contacts_7d: int = 0
    resolved: str = "unanswered"
    callback: str = "unanswered"
    attempts: int = 0
    failed_attempts: int = 0
    first_failed_at: datetime | None = None
    first_attempt_at: datetime | None = None
    reached_at: datetime | None = None
    reached: bool = False
    next_at: datetime | None = None
    outcome: str | None = None
    root_cause: str | None = None
    dropped_refs: tuple[str, ...] = ()
    overdue: bool = False
    resolved_at: datetime | None = None
    ended_case_at: datetime | None = None
    merged_into: UUID | None = None
    request_revision: int = 0
    requested: bool = False
    overdue_on: datetime | None = None
    closes_on: datetime | None = None
    expires_on: datetime | None = None
    unreachable_on: datetime | None = None
    lease_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

    @property
    def is_workable(self) -> bool:
        return self.state in WORKABLE


@dataclass(frozen=True, slots=True)
class Step:
    """One revision in a case's history. `detail` holds codes and numbers only, never a customer's words."""

    case_id: UUID
    revision: int
    change: str
    at: datetime
    by: By
    before: State | None
    state: State
    detail: dict[str, JsonValue] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to call. Unique by (`case_id`, `attempt_id`); `note` is sealed; `noted` = it came after the case had ended."""

    case_id: UUID
    attempt_id: str
    by: By
    started_at: datetime
    outcome: str
    recorded_at: datetime
    revision: int
    ended_at: datetime | None = None
    next_at: datetime | None = None
    resolved: bool | None = None
    root_cause: str | None = None
    note: dict[str, str] | None = None
    platform_ref: PlatformRef | None = None
    noted: bool = False


@frozen_value(frozen=True, slots=True)
class Moved:
    """What a move made of a case: the case after it and, oldest first, each revision it wrote with the case as of that revision."""

    case: Case
    steps: tuple[tuple[Case, Step], ...] = ()

    def then(self, other: "Moved") -> "Moved":
        return Moved(other.case, self.steps + other.steps)


def revised(case: Case, change: str, *, at: datetime, by: By, detail: Mapping[str, JsonValue] | None = None, **changes: Any) -> Moved:
    """The next revision of `case` with `changes` applied; the only way a revision grows."""
    after = replace(case, revision=case.revision + 1, changed_at=at, **changes)
    step = Step(case.id, after.revision, change, at=at, by=by, before=case.state, state=after.state, detail=dict(detail or {}))
    return Moved(after, ((after, step),))
