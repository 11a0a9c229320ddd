"""Ends of a case that nobody at a desk decides: time, a merge, an erasure. Moves of the one table like all others."""

from datetime import datetime
from typing import Any

from routing.cases.model import SYSTEM, Case, Moved, revised
from routing.cases.moves import Move, after, ended


def give_up(case: Case, *, at: datetime) -> Moved:
    return revised(case, "unreachable", at=at, by=SYSTEM, state=after(case, Move.GIVE_UP), **ended(at))


def expire(case: Case, *, at: datetime) -> Moved:
    return revised(case, "expired", at=at, by=SYSTEM, state=after(case, Move.EXPIRE), **ended(at))


def merge(case: Case, *, into: Case, at: datetime) -> Moved:
    """The younger of two open cases of one customer ends in the older."""
    detail = {"into": into.number}
    return revised(case, "merged", at=at, by=SYSTEM, detail=detail, state=after(case, Move.MERGE), merged_into=into.id, **ended(at))


def erase(case: Case, *, at: datetime) -> Moved:
    """The person is forgotten: what is left is that there was a case, when, and how it went."""
    person: dict[str, Any] = {"customer": None, "wish": (), "windows": (), "point_ref": None, "dropped_refs": (), "language": None}
    return revised(case, "erased", at=at, by=SYSTEM, state=after(case, Move.ERASE), **person, **ended(at))
