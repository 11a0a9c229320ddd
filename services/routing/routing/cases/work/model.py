"""What people and dialers ask of a case."""

from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True, slots=True)
class Reachable:
    """Whom to ask for and which number to dial; whoever saw it is in the audit log."""

    number: str
    name: str | None
