"""The case policy: which answers open a case, what weighs how much, and how long anything may take."""

from datetime import timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from routing.cases.model import Level
from routing.rota.model import OpenHours

_Seconds = Annotated[float, Field(gt=0, le=90 * 86_400)]
_Points = Annotated[int, Field(ge=0, le=100)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ScorePoints(_Part):
    """Points for a score from `from` to `to`, both included."""

    from_: Annotated[int, Field(alias="from", ge=0, le=10)]
    to: Annotated[int, Field(ge=0, le=10)]
    points: _Points


class Points(_Part):
    score: tuple[ScorePoints, ...]
    unresolved: _Points
    wished_call: _Points
    repeat_contact: _Points
    transfers: _Points


class Openers(_Part):
    """Which answers open a case, besides the moments and segments whose every answer does."""

    detractor: bool
    unresolved: bool
    words: bool
    wished_call: bool
    repeat_contact: bool = False
    moments: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


class DueSeconds(_Part):
    """Business seconds from the first unhappy answer to the call."""

    critical: _Seconds
    high: _Seconds
    normal: _Seconds


class CasePolicy(_Part):
    """One version of the policy. Durations in seconds.

    `call_hours` are the customer's local clock; `team_hours`, in the company's zone, those of a team that the rota does not have.
    """

    openers: Openers
    points: Points
    high_from: _Points
    repeat_contacts_from: Annotated[int, Field(ge=1)]
    transfers_from: Annotated[int, Field(ge=1)]
    due_s: DueSeconds
    call_hours: OpenHours
    team_hours: OpenHours
    call_when_unanswered: bool
    hold_out_rate: Annotated[float, Field(ge=0, le=0.5)]
    failed_tries: Annotated[int, Field(ge=1)]
    failed_span_s: Annotated[float, Field(ge=0)]
    close_s: _Seconds
    expire_s: _Seconds
    reschedule_grace_s: Annotated[float, Field(ge=0)]
    fallback_team: Annotated[str, Field(min_length=1)]
    review_flags: tuple[str, ...] = ()
    segment_skills: dict[str, str] = {}
    version: int = 1

    def due_in(self, level: Level) -> timedelta:
        """Business time until the call is due."""
        return timedelta(seconds=getattr(self.due_s, level.value))
