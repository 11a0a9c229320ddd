"""What people and dialers ask of a case."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from shared.schemas import PlatformRef, Sealed


@dataclass(frozen=True, slots=True)
class Call:
    """A call that was made, as whoever made it tells it; `attempt_id` is theirs and makes telling it twice harmless."""

    attempt_id: str
    outcome: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    next_at: datetime | None = None
    resolved: bool | None = None
    root_cause: str | None = None
    note: str | Sealed | None = None
    platform_ref: PlatformRef | None = None


def not_before_start(ended_at: datetime | None, told: ValidationInfo) -> datetime | None:
    """For `ended_at` of what is told over HTTP: a call cannot be over before it began."""
    started_at = told.data.get("started_at")
    if ended_at and started_at and ended_at < started_at:
        raise PydanticCustomError("before_started_at", "a call cannot be over before it began")
    return ended_at


@dataclass(frozen=True, slots=True)
class Reachable:
    """Whom to ask for and which number to dial; whoever saw it is in the audit log."""

    number: str
    name: str | None
