"""Two ids turned out to be one person: of their open cases the oldest stays."""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from routing.cases import endings
from routing.cases.model import SYSTEM, Case, Moved, revised
from routing.cases.terms import Terms
from shared.schemas import Customer


@dataclass(frozen=True, slots=True)
class United:
    """In the order in which they must be saved: those that end, then the one that stays. `ended` names case and survivor."""

    moved: tuple[Moved, ...]
    ended: tuple[tuple[UUID, UUID], ...]


def merged(open_cases: Iterable[Case], customer: Customer, terms: Terms) -> United:
    """The survivor takes surveys, contacts and the heavier priority; it is lowered in nothing."""
    if not (found := sorted(open_cases, key=lambda case: (case.opened_at, case.number))):
        return United((), ())
    stays, *younger = found
    ends = tuple(endings.merge(case, into=stays, at=terms.now) for case in younger)
    if not younger and stays.customer_id == customer.customer_id:
        return United((), ())
    return United((*ends, _taken_over(stays, younger, customer, terms)), tuple((case.id, stays.id) for case in younger))


def _taken_over(stays: Case, younger: list[Case], customer: Customer, terms: Terms) -> Moved:
    everyone = [stays, *younger]
    heaviest = max(everyone, key=lambda case: (case.priority, case is stays))
    return revised(
        stays,
        "joined" if younger else "noted",
        at=terms.now,
        by=SYSTEM,
        detail={"merged": [case.number for case in younger]},
        customer_id=customer.customer_id,
        customer=customer,
        survey_ids=_united([case.survey_ids for case in everyone]),
        interaction_ids=_united([case.interaction_ids for case in everyone]),
        first_answered_at=min(case.first_answered_at for case in everyone),
        priority=heaviest.priority,
        reasons=heaviest.reasons,
        score=heaviest.score,
        level=max((case.level for case in everyone), key=lambda level: level.rank),
        words=tuple(sorted({word for case in everyone for word in case.words})),
        due_at=min(case.due_at for case in everyone),
    )


def _united(parts: Iterable[tuple[UUID, ...]]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(each for part in parts for each in part))
