"""The queue as groups of rows, its sentence, and what its pill says of cases that came meanwhile."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from routing.cases.queue.model import Urgency, View
from routing.console import clock
from routing.console.look import Look
from routing.console.queue.row import Row
from routing.console.words import listed

VIEWS = {
    View.TO_CALL: "To call",
    View.MINE: "Mine",
    View.WAITING: "Waiting for hours",
    View.REVIEW: "Review, no call",
    View.DONE: "Done today",
}
_EMPTY = {
    View.TO_CALL: "Nobody is waiting.",
    View.MINE: "You have no case.",
    View.WAITING: "Nobody waits for calling hours.",
    View.REVIEW: "Nothing to review.",
    View.DONE: "Nothing is done yet today.",
}


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    title: str
    note: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Pill:
    words: str
    warns: bool


def groups(rows: Iterable[Row], look: Look) -> list[Group]:
    """Critical first, always; then late, within the hour, later today, and day by day. Within a group as the rows came."""
    together: dict[tuple[int, str, str], list[Row]] = {}
    for row in rows:
        together.setdefault(_place(row, look), []).append(row)
    return [
        Group(key, title, f"{len(found)}, never grouped" if key == "critical" else str(len(found)), tuple(found))
        for (_, key, title), found in sorted(together.items(), key=lambda each: each[0][0])
    ]


def _place(row: Row, look: Look) -> tuple[int, str, str]:
    days = (clock.local(row.due_at, look.zone).date() - clock.local(look.now, look.zone).date()).days
    if row.done:
        return 9_999, "done", "Done"
    if row.critical:
        return -3, "critical", "Critical"
    if row.tone:
        return (-2, "late", "Late") if row.tone == "late" else (-1, "hour", "Due within the hour")
    return (0, "today", "Later today") if days <= 0 else (days, f"day-{days}", clock.weekday(row.due_at, look.now, zone=look.zone))


def done(rows: Sequence[Row]) -> list[Group]:
    """What was finished today is not sorted by what it was once due."""
    return [Group("done", "Done today", str(len(rows)), tuple(rows))] if rows else []


def teams_said(look: Look) -> str:
    return "All teams" if look.teams is None else listed(sorted(map(look.team, look.teams))) if look.teams else "No team"


def urgent(urgency: Urgency) -> str:
    """ "1 critical, 1 late": what the sentence stresses."""
    parts = ((urgency.critical, "critical"), (urgency.late, "late"))
    return ", ".join(f"{n:,} {word}" for n, word in parts if n)


def soon(urgency: Urgency) -> str:
    return f"{urgency.soon:,} due within the hour" if urgency.soon else ""


def empty(view: View, look: Look, opens: datetime | None) -> str:
    """One sentence why; when the next one opens, where that is known."""
    if view is View.TO_CALL and opens:
        return f"Nobody is waiting. Next opens {clock.at(opens, look.now, zone=look.zone)}."
    return _EMPTY[view]


def pill(rows: Iterable[Row], seen: frozenset[int]) -> Pill | None:
    """What came since the page was drawn; nothing moves until somebody asks."""
    return _said(list(rows), lambda row: row.number in seen)


def _said(rows: list[Row], is_seen: Callable[[Row], bool]) -> Pill | None:
    new = [row for row in rows if not is_seen(row)]
    if not new:
        return None
    first = min((row.due_at for row in rows if is_seen(row)), default=None)
    before = sum(first is None or row.due_at < first for row in new)
    words = f"{len(new)} new case{'s' if len(new) != 1 else ''}"
    return Pill(
        f"{words}, {before} due before the ones below" if before else f"{words}, none due before the ones below", warns=bool(before)
    )
