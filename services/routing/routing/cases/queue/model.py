"""What people see of cases: views of the queue and the counts of a team."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class View(StrEnum):
    """One tab of the queue. Cases held out are in none of them."""

    TO_CALL = "to_call"
    MINE = "mine"
    WAITING = "waiting"
    REVIEW = "review"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of the queue goes on: after the case with these three, the order of every view."""

    due_at: datetime
    priority: int
    number: int


@dataclass(frozen=True, slots=True)
class Urgency:
    """Of the cases to call: the critical ones, and of the others those that are late and those due within the hour."""

    critical: int
    late: int
    soon: int


@dataclass(frozen=True, slots=True)
class Tally:
    """One team's counts since a moment; rates and intervals are made of them, never averaged.

    `called_in_time` of `called_due`: first tried before the due time, of those whose due time has passed or that were tried.
    `recovered` of `recovery_answered`: the recovery answers that are no longer detractors.
    """

    team: str
    detractors: int
    passives: int
    promoters: int
    called_due: int
    called_in_time: int
    recovery_answered: int
    recovered: int
    open_cases: int
    oldest_due_at: datetime | None
