"""Opening hours across zones, holidays and changes of the clocks."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.hours import (
    ALWAYS,
    Calendar,
    Hours,
    NeverOpen,
    UnreadableHours,
    Window,
    add_business_time,
    business_time,
    intersect,
    next_sendable,
    windows,
)
from shared.zones import UnknownZone, is_zone, zones_of_country

POLITE = Hours.parse({"daily": "08:00-20:00"})
OFFICE = Hours.parse({"mon-fri": "09:00-17:00", "closed": ["2026-12-25"]})
NEW_YORK, LONDON, KOLKATA, LORD_HOWE = "America/New_York", "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe"


def local(text: str, zone: str, *, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# start and due are wall-clock times of the zone; the hours are 9 to 17, Monday to Friday, unless named
GOLDEN = [
    ("within the day", NEW_YORK, OFFICE, "2026-11-24 10:00", 4, "2026-11-24 14:00"),
    ("to the closing minute", NEW_YORK, OFFICE, "2026-11-24 13:00", 4, "2026-11-24 17:00"),
    ("over the weekend", NEW_YORK, OFFICE, "2026-11-20 16:30", 4, "2026-11-23 12:30"),
    ("from a Saturday", NEW_YORK, OFFICE, "2026-11-21 11:00", 1, "2026-11-23 10:00"),
    ("before opening", NEW_YORK, OFFICE, "2026-11-24 03:00", 1, "2026-11-24 10:00"),
    ("a whole working day", NEW_YORK, OFFICE, "2026-11-24 12:00", 8, "2026-11-25 12:00"),
    ("over a holiday and a weekend", NEW_YORK, OFFICE, "2026-12-24 16:00", 4, "2026-12-28 12:00"),
    ("over the weekend the clocks go forward", NEW_YORK, OFFICE, "2026-03-06 16:00", 4, "2026-03-09 12:00"),
    ("over the weekend the clocks go back", NEW_YORK, OFFICE, "2026-10-30 16:00", 4, "2026-11-02 12:00"),
    ("round the clock, through the hour that is skipped", NEW_YORK, ALWAYS, "2026-03-08 00:00", 4, "2026-03-08 05:00"),
    ("round the clock, through the hour that is repeated", NEW_YORK, ALWAYS, "2026-11-01 00:00", 4, "2026-11-01 03:00"),
    ("half an hour skipped", LORD_HOWE, ALWAYS, "2026-10-04 00:00", 4, "2026-10-04 04:30"),
    ("half an hour repeated", LORD_HOWE, ALWAYS, "2026-04-05 00:00", 4, "2026-04-05 03:30"),
    ("a half-hour zone", KOLKATA, OFFICE, "2026-11-20 16:30", 4, "2026-11-23 12:30"),
    ("a zone that changes on another day", LONDON, OFFICE, "2026-03-27 16:00", 2, "2026-03-30 10:00"),
]


@pytest.mark.parametrize(("zone", "hours", "start", "open_hours", "due"), [row[1:] for row in GOLDEN], ids=[row[0] for row in GOLDEN])
def test_business_time_is_due_when_the_golden_table_says(zone: str, hours: Hours, start: str, open_hours: int, due: str) -> None:
    calendar = Calendar(zone, hours)
    found = add_business_time(local(start, zone), timedelta(hours=open_hours), calendar=calendar)
    assert found == local(due, zone)
    assert business_time(local(start, zone), found, calendar=calendar) == timedelta(hours=open_hours)


SENDABLE = [
    ("is open now", [NEW_YORK], "2026-11-24 13:00", "2026-11-24 13:00"),
    ("waits for the morning", [NEW_YORK], "2026-11-24 09:00", "2026-11-24 13:00"),
    ("is too late at the closing minute", [NEW_YORK], "2026-11-25 01:00", "2026-11-25 13:00"),
    ("waits for the last of its zones", [NEW_YORK, "America/Los_Angeles"], "2026-11-24 13:00", "2026-11-24 16:00"),
    ("stops with the first of its zones", [NEW_YORK, "America/Los_Angeles"], "2026-11-25 01:00", "2026-11-25 16:00"),
    ("counts half hours", [KOLKATA], "2026-11-24 01:00", "2026-11-24 02:30"),
    ("opens an hour earlier in UTC once the clocks went forward", [NEW_YORK], "2026-03-08 05:00", "2026-03-08 12:00"),
    ("opens an hour later in UTC once they went back", [NEW_YORK], "2026-11-01 05:00", "2026-11-01 13:00"),
]


@pytest.mark.parametrize(("zones", "at", "expected"), [row[1:] for row in SENDABLE], ids=[row[0] for row in SENDABLE])
def test_a_message_is_sent_when_it_is_polite_in_every_zone(zones: list[str], at: str, expected: str) -> None:
    assert next_sendable(utc(at), zones, hours=POLITE) == utc(expected)


def test_nothing_is_sendable_after_the_limit() -> None:
    assert next_sendable(utc("2026-11-24 09:00"), [NEW_YORK], hours=POLITE, until=utc("2026-11-24 12:59")) is None
    assert next_sendable(utc("2026-11-24 09:00"), [NEW_YORK], hours=POLITE, until=utc("2026-11-24 13:00")) == utc("2026-11-24 13:00")


def test_zones_that_are_never_polite_at_once_have_no_moment() -> None:
    narrow = Hours.parse({"daily": "09:00-10:00"})
    assert next_sendable(utc("2026-11-24 09:00"), [NEW_YORK, "Asia/Tokyo"], hours=narrow) is None


@pytest.mark.parametrize("zones", [[], ["Atlantis/Capital"], [NEW_YORK, "../etc"], ["America"], [""], ["\0"]])
def test_where_the_zone_is_unknown_nothing_is_open(zones: list[str]) -> None:
    assert next_sendable(utc("2026-11-24 15:00"), zones, hours=ALWAYS) is None
    assert windows(utc("2026-11-24 00:00"), utc("2026-11-25 00:00"), zones=zones, hours=ALWAYS) == []


def test_a_name_is_a_zone_only_if_the_database_has_it() -> None:
    assert is_zone(NEW_YORK)
    assert not any(is_zone(name) for name in ("Mars/Olympus", "", "America", "/etc/passwd"))


def test_a_country_has_all_its_zones() -> None:
    assert {"America/New_York", "America/Denver", "America/Los_Angeles", "America/Anchorage", "Pacific/Honolulu"} <= set(
        zones_of_country("us")
    )
    assert zones_of_country("IN") == ("Asia/Kolkata",)
    assert zones_of_country("XX") == ()
    assert all(is_zone(zone) for country in ("US", "AU", "BR", "RU") for zone in zones_of_country(country))


def test_somebody_anywhere_in_the_country_is_written_to_when_all_of_it_is_awake() -> None:
    assert next_sendable(utc("2026-11-24 13:00"), zones_of_country("US"), hours=POLITE) == utc("2026-11-24 18:00")


def test_a_day_off_begins_and_ends_at_local_midnight() -> None:
    closed = POLITE.closing([date(2026, 11, 26)])
    assert next_sendable(utc("2026-11-26 00:30"), [NEW_YORK], hours=closed) == utc("2026-11-26 00:30")
    assert next_sendable(utc("2026-11-26 01:00"), [NEW_YORK], hours=closed) == utc("2026-11-27 13:00")


def test_hours_that_the_clocks_skip_are_not_there_and_hours_they_repeat_are_there_twice() -> None:
    early = Hours.parse({"daily": "01:30-02:30"})
    spring = windows(utc("2026-03-08 00:00"), utc("2026-03-09 00:00"), zones=[NEW_YORK], hours=early)
    autumn = windows(utc("2026-11-01 00:00"), utc("2026-11-02 00:00"), zones=[NEW_YORK], hours=early)
    assert spring == [(utc("2026-03-08 06:30"), utc("2026-03-08 07:00"))]
    assert autumn == [(utc("2026-11-01 05:30"), utc("2026-11-01 06:00")), (utc("2026-11-01 06:30"), utc("2026-11-01 07:30"))]


def test_hours_round_the_clock_are_one_window_over_midnights() -> None:
    span = (utc("2026-11-20 07:00"), utc("2026-11-27 07:00"))
    assert windows(*span, zones=[NEW_YORK, KOLKATA], hours=ALWAYS) == [span]


def test_a_wish_is_cut_to_what_is_open() -> None:
    open_today = windows(utc("2026-11-24 00:00"), utc("2026-11-25 00:00"), zones=[NEW_YORK], hours=POLITE)
    wish = [(utc("2026-11-24 10:00"), utc("2026-11-24 14:00")), (utc("2026-11-24 23:00"), utc("2026-11-25 09:00"))]
    assert intersect(open_today, wish) == [
        (utc("2026-11-24 13:00"), utc("2026-11-24 14:00")),
        (utc("2026-11-24 23:00"), utc("2026-11-25 00:00")),
    ]


def test_hours_are_read_from_data() -> None:
    hours = Hours.parse({"mon-fri": "08:00-12:00", "sat": ["09:00-12:00", "13:00-24:00"], "closed": ["2026-12-25"]})
    assert [len(hours.of(date(2026, 11, 23) + timedelta(days=n))) for n in range(7)] == [1, 1, 1, 1, 1, 2, 0]
    assert hours.of(date(2026, 12, 25)) == ()


@pytest.mark.parametrize(
    "written",
    [
        {"monday": "08:00-20:00"},
        {"fri-mon": "08:00-20:00"},
        {"mon": "8-20"},
        {"mon": "20:00-08:00"},
        {"mon": "08:00-24:01"},
        {"mon": "08:60-09:00"},
        {"mon": ""},
        {"closed": ["25.12.2026"]},
    ],
)
def test_hours_written_otherwise_are_refused_with_how_to_write_them(written: dict[str, str]) -> None:
    with pytest.raises(UnreadableHours, match="write days as"):
        Hours.parse(written)


def test_a_calendar_that_never_opens_says_so() -> None:
    with pytest.raises(NeverOpen, match="give it hours"):
        add_business_time(utc("2026-11-24 10:00"), timedelta(hours=1), calendar=Calendar(NEW_YORK, Hours.parse({})))


def test_a_calendar_in_no_known_zone_says_so() -> None:
    for question in (add_business_time, business_time):
        with pytest.raises(UnknownZone, match="IANA name"):
            ask_in_atlantis(question)


def ask_in_atlantis(question: Callable[..., object]) -> None:
    start = utc("2026-11-24 10:00")
    question(start, timedelta(hours=1) if question is add_business_time else start, calendar=Calendar("Atlantis", ALWAYS))


zones = st.lists(
    st.sampled_from([NEW_YORK, LONDON, KOLKATA, LORD_HOWE, "America/Los_Angeles", "Asia/Kathmandu", "Africa/Casablanca", "Pacific/Apia"]),
    min_size=1,
    max_size=3,
    unique=True,
)
moments = st.integers(0, 2 * 365 * 24 * 3600).map(lambda second: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=second))
spans = st.tuples(st.integers(0, 47), st.integers(1, 20)).map(lambda s: f"{s[0] // 2:02}:{s[0] % 2 * 30:02}-{end_of(*s)}")
some_hours = st.dictionaries(st.sampled_from(["mon-fri", "sat", "sun", "daily"]), spans, min_size=1).map(Hours.parse)


def end_of(start: int, length: int) -> str:
    end = min(start + length, 48)
    return f"{end // 2:02}:{end % 2 * 30:02}"


def shows_open(moment: datetime, zone: str, *, hours: Hours) -> bool:
    """The definition: what the clock on the wall shows lies in that local day's hours."""
    wall = moment.astimezone(ZoneInfo(zone))
    return any(opens <= wall.hour * 60 + wall.minute < closes for opens, closes in hours.of(wall.date()))


@given(moments, zones, some_hours)
def test_every_moment_to_send_is_inside_the_hours_of_every_zone(at: datetime, zones: list[str], hours: Hours) -> None:
    found = next_sendable(at, zones, hours=hours, until=at + timedelta(days=10))
    if found is not None:
        assert found >= at
        assert all(shows_open(found, zone, hours=hours) for zone in zones)
    else:
        assert windows(at, at + timedelta(days=10), zones=zones, hours=hours) == []


@given(moments, zones, some_hours)
def test_a_minute_is_in_a_window_exactly_if_every_wall_clock_shows_an_open_time(at: datetime, zones: list[str], hours: Hours) -> None:
    at = at.replace(second=0, microsecond=0)
    found = windows(at, at + timedelta(days=2), zones=zones, hours=hours)
    for minute in range(0, 2 * 24 * 60, 15):
        moment = at + timedelta(minutes=minute)
        assert any(opens <= moment < closes for opens, closes in found) == all(shows_open(moment, zone, hours=hours) for zone in zones)


@given(moments, st.timedeltas(timedelta(0), timedelta(days=3)), zones, some_hours)
def test_asking_later_never_answers_earlier(at: datetime, later: timedelta, zones: list[str], hours: Hours) -> None:
    first = next_sendable(at, zones, hours=hours, until=at + timedelta(days=14))
    second = next_sendable(at + later, zones, hours=hours, until=at + timedelta(days=14))
    assert second is None or (first is not None and first <= second)


@given(moments, st.integers(0, 60 * 10), st.integers(0, 60 * 10), zones, some_hours)
def test_business_time_adds_up_and_a_longer_time_is_due_later(at: datetime, first: int, more: int, zones: list[str], hours: Hours) -> None:
    calendar = Calendar(zones[0], hours)
    once = add_business_time(at, timedelta(minutes=first), calendar=calendar)
    both = add_business_time(at, timedelta(minutes=first + more), calendar=calendar)
    assert add_business_time(once, timedelta(minutes=more), calendar=calendar) == both
    assert both >= once
    assert business_time(at, both, calendar=calendar) == timedelta(minutes=first + more)


@given(st.lists(moments, min_size=2, max_size=12), st.lists(moments, min_size=2, max_size=12))
def test_intersecting_windows_is_the_same_from_both_sides_and_lies_in_both(one: list[datetime], other: list[datetime]) -> None:
    left, right = paired(one), paired(other)
    both = intersect(left, right)
    assert both == intersect(right, left)
    assert all(any(a <= opens and closes <= b for a, b in side) for opens, closes in both for side in (left, right))
    assert intersect(both, left) == both


def paired(times: list[datetime]) -> list[Window]:
    ordered = sorted(set(times))
    return list(zip(ordered[::2], ordered[1::2], strict=False))
