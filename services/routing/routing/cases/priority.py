"""Priority: points that add up and explain themselves."""

from dataclasses import dataclass

from routing.cases.model import Level, Reason
from routing.cases.policy import CasePolicy

CAP = 100


@dataclass(frozen=True, slots=True)
class Weighed:
    """A priority with its summands; where they would exceed 100, the last that counts is cut so that they still add up."""

    priority: int
    reasons: tuple[Reason, ...]
    level: Level


@dataclass(frozen=True, slots=True)
class Facts:
    """What an answer and its contact say that weighs; `words` are codes of critical words."""

    score: int
    resolved: str
    callback: str
    contacts_7d: int
    transfers: int
    words: tuple[str, ...]


def weigh(facts: Facts, policy: CasePolicy) -> Weighed:
    """Only words make a case critical; points make it high."""
    reasons = _capped([reason for reason in _reasons(facts, policy) if reason.points])
    total = sum(reason.points for reason in reasons)
    high = Level.HIGH if total >= policy.high_from else Level.NORMAL
    return Weighed(total, reasons, Level.CRITICAL if facts.words else high)


def _reasons(facts: Facts, policy: CasePolicy) -> list[Reason]:
    points = policy.points
    return [
        *(Reason(f"score_{each.from_}_{each.to}", each.points) for each in points.score if each.from_ <= facts.score <= each.to),
        Reason("unresolved", points.unresolved if facts.resolved == "no" else 0),
        Reason("wished_call", points.wished_call if facts.callback == "yes" else 0),
        Reason("repeat_contact", points.repeat_contact if facts.contacts_7d >= policy.repeat_contacts_from else 0),
        Reason("transfers", points.transfers if facts.transfers >= policy.transfers_from else 0),
    ]


def _capped(reasons: list[Reason]) -> tuple[Reason, ...]:
    kept: list[Reason] = []
    left = CAP
    for reason in reasons:
        points = min(reason.points, left)
        if points:
            kept.append(Reason(reason.code, points))
        left -= points
    return tuple(kept)
