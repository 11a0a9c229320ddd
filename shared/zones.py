"""Time zones: their names, their offsets around a day, and the ones a country has."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from importlib import resources
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
FAR_FROM_UTC = timedelta(hours=16)
"""More than any zone is away from UTC."""


class UnknownZone(LookupError):
    """A name that the time zone database does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no time zone {name!r}; use an IANA name such as 'America/New_York'.")


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """The zone, or UnknownZone; never another error, whatever the name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UnknownZone(name) from None


def is_zone(name: str) -> bool:
    """Whether the time zone database has it."""
    try:
        return bool(zone_named(name))
    except UnknownZone:
        return False


@lru_cache(maxsize=1)
def zones_by_country() -> dict[str, tuple[str, ...]]:
    """The table `zone.tab` of the time zone database: ISO 3166 code, a tab, coordinates, a tab, the zone."""
    rows = (line.split("\t") for line in resources.files("tzdata").joinpath("zoneinfo/zone.tab").read_text("utf-8").splitlines())
    found: dict[str, tuple[str, ...]] = {}
    for country, _, zone, *_ in (row for row in rows if not row[0].startswith("#")):
        found[country] = (*found.get(country, ()), zone)
    return found


def zones_of_country(country: str) -> tuple[str, ...]:
    """Every zone of an ISO 3166 country code such as "US", in the database's order; none for a code it does not have."""
    return zones_by_country().get(country.upper(), ())


@lru_cache(maxsize=16_384)
def offsets(day: date, zone: str) -> tuple[tuple[datetime, datetime, timedelta], ...]:
    """(from, until, offset from UTC) around a local day: one stretch, or two where the clocks change."""
    start, end = midnight(day) - FAR_FROM_UTC, midnight(day) + DAY + FAR_FROM_UTC
    if offset_at(start, zone) == offset_at(end, zone):
        return ((start, end, offset_at(start, zone)),)
    return tuple((since, until, offset_at(since, zone)) for since, until in pairwise((start, change_between(start, end, zone=zone), end)))


def change_between(start: datetime, end: datetime, *, zone: str) -> datetime:
    """The second at which the offset of `start` ends, by halving."""
    before, low, high = offset_at(start, zone), 0, int((end - start).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if offset_at(start + timedelta(seconds=middle), zone) == before else (low, middle)
    return start + timedelta(seconds=high)


def offset_at(moment: datetime, zone: str) -> timedelta:
    return moment.astimezone(zone_named(zone)).utcoffset() or timedelta(0)


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
