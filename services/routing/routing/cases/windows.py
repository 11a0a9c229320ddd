"""When a customer may be called: lawful in every zone they may be in, and wished."""

from collections.abc import Iterable
from datetime import datetime

from routing.cases.policy import CasePolicy
from shared.hours import Hours, intersect, windows
from shared.schemas import Window


def callable_windows(
    start: datetime, end: datetime, *, zones: Iterable[str], policy: CasePolicy, wish: Iterable[Window]
) -> tuple[Window, ...]:
    """From `start` until `end`. A wish that leaves nothing, because it is over or outside the hours, no longer binds."""
    lawful = windows(start, end, zones=zones, hours=Hours.parse(policy.call_hours))
    wished = intersect(lawful, sorted((each.from_, each.to) for each in wish))
    return tuple(Window(from_=opens, to=closes) for opens, closes in wished or lawful)
