"""When a customer would like to be called: three slots of a day, as windows of the next days."""

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.schemas import Window

SLOTS = {"morning": (time(9), time(12)), "afternoon": (time(12), time(17)), "evening": (time(17), time(20))}
"""Local hours; the names are the form's values."""

DAYS = 3
"""Windows are given for today and the days after it, this many in all: a call is due within one working day."""


def windows(slots: Collection[str], zone: str, *, now: datetime) -> tuple[Window, ...]:
    """The chosen slots, in UTC, without what is over already."""
    local = ZoneInfo(zone)
    today = now.astimezone(local).date()
    found = [
        Window(from_=datetime.combine(day, start, local).astimezone(UTC), to=datetime.combine(day, end, local).astimezone(UTC))
        for day in (today + timedelta(days=ahead) for ahead in range(DAYS))
        for name, (start, end) in SLOTS.items()
        if name in slots
    ]
    return tuple(window for window in found if window.to > now)


def slots_of(wish: Iterable[Window], zone: str) -> list[str]:
    """The slots that windows were made of, in the order of the day."""
    starts = {window.from_.astimezone(ZoneInfo(zone)).time() for window in wish}
    return [name for name, (start, _) in SLOTS.items() if start in starts]


def zone_of(candidates: Sequence[str], company_zone: str) -> str:
    """The customer's zone where there is only one candidate, else the company's."""
    return candidates[0] if len(candidates) == 1 else company_zone
