"""Every form of time that a platform writes."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.normalise.times import as_datetime, as_ms, first_time, read_time

NOON = datetime(2027, 5, 11, 12, 0, 7, 250_000, tzinfo=UTC)
NOON_MS = 1_810_036_807_250


@pytest.mark.parametrize(
    "written",
    [
        "2027-05-11T12:00:07.250Z",
        "2027-05-11T12:00:07.250000000Z",
        "2027-05-11T12:00:07.250999999Z",
        "2027-05-11T14:00:07.250+0200",
        "2027-05-11T14:00:07.250+02:00",
        "2027-05-11T07:00:07.250-05",
        "2027-05-11 12:00:07,250 Z",
        "2027-05-11 12:00:07.250 UTC",
        "2027-05-11t12:00:07.25z",
        " 2027-05-11T12:00:07.250Z ",
        NOON_MS,
        NOON_MS / 1000,
        str(NOON_MS),
        "1810036807.250",
        NOON_MS * 1_000,
        str(NOON_MS * 1_000),
        NOON_MS * 1_000_000,
    ],
)
def test_one_moment_in_all_its_forms(written: str | float) -> None:
    assert (read_time(written).ms, read_time(written).doubt) == (NOON_MS, None)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (1_810_036_807, 1_810_036_807),
        ("Tue, 11 May 2027 12:00:07 +0000", 1_810_036_807),
        ("Tue, 11 May 2027 14:00:07 +0200", 1_810_036_807),
        ("63977256007", 1_810_036_807),
        ("2027-05-11T12:00Z", 1_810_036_800),
    ],
)
def test_forms_that_hold_whole_seconds(written: str | int, seconds: int) -> None:
    assert read_time(written).ms == seconds * 1000


@pytest.mark.parametrize("written", ["1970-01-01T00:00:00.001Z", "1970-01-01T00:00:00Z", 0, 0.0, "0", "", "  ", 10_000])
def test_a_placeholder_is_no_time(written: str | float) -> None:
    assert (read_time(written).ms, read_time(written).doubt) == (None, "placeholder")


@pytest.mark.parametrize(
    ("written", "doubt"),
    [
        ("2021-04-2T15:30:51.418Z", "unreadable"),
        ("2013-04-13:12:08", "unreadable"),
        ("2027-02-30T00:00:00Z", "unreadable"),
        ("2027-05-11T25:00:00Z", "unreadable"),
        ("2027-05-11", "unreadable"),
        ("yesterday", "unreadable"),
        ("9" * 70, "unreadable"),
        ("٢٠٢٧-٠٥-١١T12:00:07Z", "unreadable"),
        (True, "unreadable"),
        ([], "unreadable"),
        ("0001-01-01T00:00:00+23:59", "absurd"),
        ("9999-12-31T23:59:59Z", "absurd"),
        (-5_000_000_000, "absurd"),
        (1e300, "absurd"),
        (float("nan"), "absurd"),
        (10**40, "absurd"),
    ],
)
def test_what_is_no_time_says_why(written: str | float, doubt: str) -> None:
    assert (read_time(written).ms, read_time(written).doubt) == (None, doubt)


def test_nothing_at_all_is_not_doubtful() -> None:
    assert (read_time(None).ms, read_time(None).doubt) == (None, None)


def test_of_several_times_the_first_that_can_be_read_is_taken_and_else_the_first_fault_is_told() -> None:
    assert first_time(None, "2027-05-1T12:00:00Z", NOON_MS, 0).ms == NOON_MS
    assert first_time(None, 0, "yesterday").doubt == "placeholder"
    assert first_time(None, None) == read_time(None)


def test_a_leap_second_is_the_first_of_the_next_minute() -> None:
    moment = read_time("2016-12-31T23:59:60Z")
    assert (moment.ms, moment.doubt) == (1_483_228_800_000, "leap_second")


def test_a_local_time_is_read_in_the_zone_of_its_source_or_doubted() -> None:
    local = "2027-05-11 08:00:07.250"
    assert read_time(local, "America/New_York").ms == NOON_MS
    assert (read_time("2027-05-11 12:00:07.250").ms, read_time("2027-05-11 12:00:07.250").doubt) == (NOON_MS, "no_zone")
    assert read_time(local, "No/Where").doubt == "no_zone"
    assert read_time(local, "../etc/passwd").doubt == "no_zone"


def test_the_date_of_a_mail_is_local_where_it_names_no_zone_and_utc_where_it_says_that_it_knows_none() -> None:
    assert read_time("Tue, 11 May 2027 08:00:07", "America/New_York") == read_time("2027-05-11T12:00:07Z")
    assert read_time("Tue, 11 May 2027 12:00:07 -0000", "America/New_York") == read_time("2027-05-11T12:00:07Z")
    assert read_time("Tue, 11 May 2027 12:00:07").doubt == "no_zone"


def test_a_local_time_that_the_change_of_clocks_skips_is_doubted() -> None:
    moment = read_time("2027-03-14 02:30:00", "America/New_York")
    assert (moment.ms, moment.doubt) == (as_ms(datetime(2027, 3, 14, 7, 30, tzinfo=UTC)), "zone_gap")


def test_a_local_time_that_the_change_of_clocks_brings_twice_is_doubted() -> None:
    moment = read_time("2027-11-07 01:30:00", "America/New_York")
    assert (moment.ms, moment.doubt) == (as_ms(datetime(2027, 11, 7, 5, 30, tzinfo=UTC)), "zone_twice")


def test_milliseconds_and_datetimes_convert_without_loss() -> None:
    assert (as_datetime(NOON_MS), as_ms(NOON)) == (NOON, NOON_MS)


@given(st.one_of(st.text(max_size=40), st.integers(), st.floats(), st.from_regex(r"\d{1,20}(\.\d{1,9})?", fullmatch=True)))
def test_no_text_or_number_makes_it_fail(written: str | float) -> None:
    moment = read_time(written, "Europe/Berlin")
    assert moment.ms is not None or moment.doubt is not None
