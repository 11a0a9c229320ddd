"""What dialers ask for and are given."""

from dataclasses import dataclass
from datetime import datetime

from routing.cases.answer.model import Answer
from routing.cases.model import Case
from routing.cases.work.model import Reachable


@dataclass(frozen=True, slots=True)
class Wants:
    """Which calls a dialer can make; None: any."""

    team: str | None = None
    skill: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the case and what the customer wrote."""

    answer: Answer
    comment: str | None


@dataclass(frozen=True, slots=True)
class Held:
    """A case that a dialer has until `until`, with everything the call needs."""

    case: Case
    whom: Reachable
    said: tuple[Said, ...]
    until: datetime
