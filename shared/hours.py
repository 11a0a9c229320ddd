"""Opening hours in the zones people live in: when it is lawful to send or call, and when promised work is due.

Hours are wall-clock times of a local day. A moment is open if the clock on the wall there shows an open time, so hours that a change of
the clocks skips are shorter on that day, and hours that it repeats are open twice. Windows are half-open, sorted, disjoint, in UTC.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from shared.zones import DAY, is_zone, midnight, offsets, zone_named

Window = tuple[datetime, datetime]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MIDNIGHT = 24 * 60
HORIZON = timedelta(days=400)
"""Hours that do not open within this time never open."""


class Span(NamedTuple):
    """Open from the minute `opens` of the local day until, not including, the minute `closes`."""

    opens: int
    closes: int


class UnreadableHours(ValueError):
    """Hours that are written in no known way."""

    def __init__(self, word: object) -> None:
        super().__init__(
            f"Cannot read {word!r} as opening hours; write days as 'mon', 'mon-fri' or 'daily', times as '08:00-20:00' (to '24:00', "
            "over midnight as two), days off as 'closed': ['2026-12-25']."
        )


class NeverOpen(ValueError):
    """A calendar without an open moment, so that nothing in it is ever due."""

    def __init__(self, zone: str) -> None:
        super().__init__(f"The calendar in {zone} does not open often enough within {HORIZON.days} days; give it hours.")


@dataclass(frozen=True)
class Hours:
    """The open spans of each weekday, Monday first, and local dates that are closed all day (holidays, blackouts)."""

    week: tuple[tuple[Span, ...], ...]
    closed: frozenset[date] = frozenset()

    @classmethod
    def parse(cls, written: Mapping[str, Any]) -> "Hours":
        """From data such as {"mon-fri": "08:00-20:00", "sat": ["09:00-12:00", "13:00-15:00"], "closed": ["2026-12-25"]}."""
        week: list[list[Span]] = [[] for _ in DAYS]
        for days, spans in written.items():
            if days != "closed":
                for day in days_of(days):
                    week[day] += [span_of(span) for span in ([spans] if isinstance(spans, str) else spans)]
        return cls(tuple(tuple(sorted(spans)) for spans in week), frozenset(date_of(day) for day in written.get("closed", ())))

    def closing(self, days: Iterable[date]) -> "Hours":
        """The same hours, closed on these local days too."""
        return replace(self, closed=self.closed.union(days))

    def of(self, day: date) -> tuple[Span, ...]:
        return () if day in self.closed else self.week[day.weekday()]


@dataclass(frozen=True)
class Calendar:
    """The hours of one place."""

    zone: str
    hours: Hours


def days_of(written: str) -> range:
    first, _, last = ("mon-sun" if written == "daily" else written).partition("-")
    if first not in DAYS or (last or first) not in DAYS or DAYS.index(last or first) < DAYS.index(first):
        raise UnreadableHours(written)
    return range(DAYS.index(first), DAYS.index(last or first) + 1)


def span_of(written: str) -> Span:
    opens, _, closes = str(written).partition("-")
    span = Span(minute_of(opens), minute_of(closes))
    if span.opens >= span.closes:
        raise UnreadableHours(written)
    return span


def minute_of(written: str) -> int:
    hour, _, minute = written.strip().partition(":")
    if not (hour.isdecimal() and minute.isdecimal() and int(minute) < 60 and int(hour) * 60 + int(minute) <= MIDNIGHT):
        raise UnreadableHours(written)
    return int(hour) * 60 + int(minute)


def date_of(written: str | date) -> date:
    try:
        return written if isinstance(written, date) else date.fromisoformat(written)
    except ValueError:
        raise UnreadableHours(written) from None


ALWAYS = Hours.parse({"daily": "00:00-24:00"})


def windows(start: datetime, end: datetime, *, zones: Iterable[str], hours: Hours) -> list[Window]:
    """Every stretch from `start` until `end` that is open in all the zones at once.

    No zone, or one that nobody knows, means that nobody can tell: then nothing is open. Pass the country's zones instead.
    """
    everywhere = tuple(zones)
    days = ((start.astimezone(UTC) + n * DAY).date() for n in range((end - start).days + 2))
    return clipped((window for day in days for window in open_in(day, everywhere, hours=hours)), start, end=end)


def next_sendable(at: datetime, zones: Iterable[str], *, hours: Hours, until: datetime | None = None) -> datetime | None:
    """The first moment from `at` on, and not after `until`, that is open in all the zones at once; None if there is none."""
    everywhere, last = tuple(zones), until or at + HORIZON
    day = at.astimezone(UTC).date()
    while day <= last.astimezone(UTC).date():
        for opens, closes in open_in(day, everywhere, hours=hours):
            if closes > at:
                return max(opens, at) if max(opens, at) <= last else None
        day += DAY
    return None


def add_business_time(start: datetime, duration: timedelta, *, calendar: Calendar) -> datetime:
    """The first moment by which the calendar was open for `duration` since `start`: open 9 to 17, 4 h from Friday 16:30 is Monday 12:30."""
    zone_named(calendar.zone)
    if duration <= timedelta(0):
        return start
    left, day = duration, start.astimezone(UTC).date()
    for _ in range(HORIZON.days):
        for opens, closes in clipped(open_in(day, (calendar.zone,), hours=calendar.hours), start, end=start + 2 * HORIZON):
            if closes - opens >= left:
                return opens + left
            left -= closes - opens
        day += DAY
    raise NeverOpen(calendar.zone)


def business_time(start: datetime, end: datetime, *, calendar: Calendar) -> timedelta:
    """How long the calendar is open from `start` until `end`; zero if `end` is earlier."""
    zone_named(calendar.zone)
    spans = windows(start, end, zones=(calendar.zone,), hours=calendar.hours)
    return sum((closes - opens for opens, closes in spans), timedelta(0))


def intersect(one: Iterable[Window], other: Iterable[Window]) -> list[Window]:
    """What lies in both; each sorted and disjoint, and so is the result."""
    found, left, right = [], list(one), list(other)
    while left and right:
        opens, closes = max(left[0][0], right[0][0]), min(left[0][1], right[0][1])
        if opens < closes:
            found.append((opens, closes))
        (left if left[0][1] <= right[0][1] else right).pop(0)
    return found


def clipped(spans: Iterable[Window], start: datetime, *, end: datetime) -> list[Window]:
    """The parts between `start` and `end`, in UTC; what touches or overlaps is one window."""
    found: list[Window] = []
    for opens, closes in sorted((max(opens, start).astimezone(UTC), min(closes, end).astimezone(UTC)) for opens, closes in spans):
        if opens >= closes:
            continue
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(closes, found[-1][1]))
        else:
            found.append((opens, closes))
    return found


@lru_cache(maxsize=16_384)
def open_in(day: date, zones: tuple[str, ...], *, hours: Hours) -> tuple[Window, ...]:
    """The windows of one UTC day that are open in all the zones at once. Remembered: most contacts of a day ask the same."""
    if not zones or not all(is_zone(zone) for zone in zones):
        return ()
    start = midnight(day)
    common: list[Window] = [(start, start + DAY)]
    for zone in zones:
        local = (window for near in (day - DAY, day, day + DAY) for window in open_on(near, zone, hours=hours))
        common = intersect(common, clipped(local, start, end=start + DAY))
    return tuple(common)


def open_on(day: date, zone: str, *, hours: Hours) -> Iterator[Window]:
    """The windows of one local day of a zone."""
    for since, until, offset in offsets(day, zone):
        for opens, closes in hours.of(day):
            begins, ends = (midnight(day) + timedelta(minutes=minute) - offset for minute in (opens, closes))
            if max(begins, since) < min(ends, until):
                yield max(begins, since), min(ends, until)
