"""Cases as the API shows them. Lists carry no name, number or words; only the case itself shows what the customer wrote."""

import base64
import binascii
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from routing.cases.model import By, Case, Level, Reason, Route, State, Step
from routing.cases.queue.model import Place
from shared.runtime.errors import Unprocessable
from shared.schemas import Window


class Shown(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class CaseShown(Shown):
    """A case in a list. `words` are codes of critical words; `customer_number` is what people call the customer by."""

    id: UUID
    number: int
    revision: int
    state: State
    route: Route
    consent_basis: str
    level: Level
    priority: int
    reasons: tuple[Reason, ...]
    words: tuple[str, ...]
    team: str
    owner: str | None
    owner_name: str | None
    owner_since: datetime | None
    due_at: datetime
    overdue: bool
    next_at: datetime | None
    windows: tuple[Window, ...]
    opened_at: datetime
    first_answered_at: datetime
    customer_id: UUID | None
    customer_number: int | None = None
    language: str | None
    score: int
    channel: str | None
    moment: str | None
    resolved: str
    callback: str
    attempts: int
    outcome: str | None
    root_cause: str | None
    reached: bool
    policy_version: int


class Page(Shown):
    cases: tuple[CaseShown, ...]
    next: str | None = None


class StepShown(Shown):
    revision: int
    change: str
    at: datetime
    by: By
    before: State | None
    state: State
    detail: dict[str, Any]


class AnswerShown(Shown):
    """`contact` and `decision` are what the answer carried: the story before it."""

    survey_id: UUID
    kind: str
    score: int
    counted: bool
    answered_at: datetime
    answered_by: str
    resolved: str
    callback: str
    comment: str | None
    contact: dict[str, Any] | None
    decision: dict[str, Any] | None


class AttemptShown(Shown):
    attempt_id: str
    by: By
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    next_at: datetime | None
    resolved: bool | None
    root_cause: str | None
    noted: bool
    note: str | None = None


class StoryShown(Shown):
    case: CaseShown
    answers: tuple[AnswerShown, ...]
    history: tuple[StepShown, ...]
    attempts: tuple[AttemptShown, ...]
    merged_into: int | None


def shown(case: Case) -> CaseShown:
    said = CaseShown.model_validate(case)
    return said.model_copy(update={"customer_number": case.customer.number}) if case.customer else said


def steps_shown(steps: Iterable[Step]) -> tuple[StepShown, ...]:
    return tuple(StepShown.model_validate(step) for step in steps)


def cursor(case: Case) -> str:
    """Where the page after this case begins."""
    return base64.urlsafe_b64encode(f"{case.due_at.isoformat()}|{case.priority}|{case.number}".encode()).decode()


def place(written: str) -> Place:
    """What a cursor says; `Unprocessable` for one we did not write."""
    try:
        due, priority, number = base64.urlsafe_b64decode(written.encode()).decode().split("|")
        found = Place(datetime.fromisoformat(due), int(priority), int(number))
    except (ValueError, binascii.Error):
        raise Unprocessable("cursor_invalid", "cursor") from None
    if found.due_at.tzinfo is None:
        raise Unprocessable("cursor_invalid", "cursor")
    return found
