"""Which changes of cases alert whom, and how often: the first of a group at once, then one message per team, channel and minute."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from routing.alerts.model import Alert, Kind
from routing.cases.model import Case, Level, Route, Step
from shared.nps import band

ALERTS = UUID("3d0c8a52-91f4-4a6e-8f55-6a2f0b7c9e21")
"""Namespace of alert ids: each follows from the change that raised it."""

NEW = frozenset({"opened", "reopened"})
"""Changes after which a customer waits who did not wait before."""

LATER = frozenset({"raised", "joined", "noted"})
"""Changes by which a case that waits already can turn critical."""

_RANK = {Level.NORMAL: 0, Level.HIGH: 1, Level.CRITICAL: 2}


@dataclass(frozen=True, slots=True)
class News:
    """One customer to alert about; `revision` is that of the change."""

    case_id: UUID
    revision: int
    team: str
    channel: str
    level: Level

    @property
    def kind(self) -> Kind:
        return Kind.CRITICAL if self.level is Level.CRITICAL else Kind.UNHAPPY

    @property
    def group(self) -> tuple[str, str]:
        return self.team, self.channel


@dataclass(frozen=True, slots=True)
class Pace:
    """`every`: between two messages of a group. `quiet`: without anything new for so long, a group is over.

    `waits` follow a message that did not arrive; after the last one it is given up. `delivers` is False where nobody is to be told.
    """

    every: timedelta
    quiet: timedelta
    waits: tuple[timedelta, ...]
    delivers: bool


def news(steps: Iterable[tuple[Case, Step]], *, alarmed: frozenset[UUID]) -> list[News]:
    """Of a system's changes, those that call for an alert; `alarmed` cases have had their critical one.

    Nobody is told of who is held out, nor of a promoter who only would like a call: that one waits in the queue.
    """
    found = [_told(case, step) for case, step in steps if _calls(case, step, alarmed=alarmed)]
    return list({each.case_id: each for each in found}.values())


def _calls(case: Case, step: Step, *, alarmed: frozenset[UUID]) -> bool:
    if step.by.kind != "system" or case.route is Route.HOLD_OUT or not case.is_workable:
        return False
    if case.level is not Level.CRITICAL and band(case.score) == "promoter":
        return False
    return step.change in NEW or (step.change in LATER and case.level is Level.CRITICAL and case.id not in alarmed)


def _told(case: Case, step: Step) -> News:
    return News(case.id, step.revision, team=case.team, channel=case.channel or "other", level=case.level)


def groups(found: Iterable[News]) -> list[list[News]]:
    """What shares an alert: all of a team and channel; a critical one stands alone."""
    together: dict[object, list[News]] = {}
    for each in found:
        together.setdefault(each.case_id if each.kind is Kind.CRITICAL else each.group, []).append(each)
    return list(together.values())


def raised(running: Alert | None, found: Sequence[News], *, now: datetime, pace: Pace) -> Alert:
    """The group with what is new in it. A group that ran quiet is over, and the next one starts at once."""
    if running is None or now - running.last_at >= pace.quiet:
        return _begun(found, now=now, pace=pace)
    level = max((running.level, *(each.level for each in found)), key=_RANK.__getitem__)
    due = _next(running, now=now, pace=pace) if pace.delivers else None
    fresh = running.attempts if running.next_on else 0
    return replace(running, count=running.count + len(found), last_at=now, level=level, next_on=due, attempts=fresh)


def _begun(found: Sequence[News], *, now: datetime, pace: Pace) -> Alert:
    first = found[0]
    return Alert(
        id=uuid5(ALERTS, f"{first.case_id}/{first.revision}"),
        team=first.team,
        channel=first.channel,
        kind=first.kind,
        level=max((each.level for each in found), key=_RANK.__getitem__),
        opened_at=now,
        last_at=now,
        count=len(found),
        next_on=now if pace.delivers else None,
    )


def _next(alert: Alert, *, now: datetime, pace: Pace) -> datetime:
    if alert.next_on is not None:
        return alert.next_on
    return max(now, alert.last_sent_at + pace.every) if alert.last_sent_at else now


def delivered(alert: Alert, *, told: int, at: datetime, pace: Pace) -> Alert:
    """A message that told of `told` answers arrived; what came meanwhile waits its minute."""
    return replace(
        alert,
        told=told,
        messages=alert.messages + 1,
        attempts=0,
        first_sent_at=alert.first_sent_at or at,
        last_sent_at=at,
        lease_until=None,
        next_on=at + pace.every if alert.count > told else None,
    )


def not_delivered(alert: Alert, *, at: datetime, pace: Pace) -> Alert:
    """Tried again after its wait; after the last wait it is given up, and the next new answer tries anew."""
    wait = pace.waits[alert.attempts] if alert.attempts < len(pace.waits) else None
    return replace(alert, attempts=alert.attempts + 1, lease_until=None, next_on=at + wait if wait is not None else None)


def acknowledged(alert: Alert, by: str, *, name: str, at: datetime) -> Alert:
    """The first who says so is kept."""
    if alert.acknowledged_at:
        return alert
    return replace(alert, acknowledged_at=at, acknowledged_by=by, acknowledged_name=name)
