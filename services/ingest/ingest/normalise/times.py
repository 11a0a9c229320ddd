"""When: every form in which platforms write a time, as epoch milliseconds.

A placeholder (1970, 0, an empty text) is no time. A time without a zone is read in the source's zone, or in UTC and
called doubtful. What cannot be read, or is absurd, is no time either; the record around it is kept.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import JsonValue

GREGORIAN_OFFSET = 62_167_219_200
"""Seconds from the year 0 to 1970, as Kazoo counts them."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LOCAL_EPOCH = _EPOCH.replace(tzinfo=None)
_NO_TIME, _MS = timedelta(0), timedelta(milliseconds=1)
_EARLIEST_MS = 946_684_800_000
_LATEST_MS = 4_102_444_800_000
_PLACEHOLDER_MS = 86_400_000
_NUMBER = re.compile(r"[+-]?\d{1,19}(\.\d{1,9})?\Z", re.ASCII)
_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2})(?::(\d{2})(?:[.,](\d{1,12}))?)? ?(Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?\Z",
    re.ASCII,
)


class Moment(NamedTuple):
    """`ms` since 1970 UTC, or None. `doubt` is why: placeholder, unreadable, absurd, no_zone, zone_gap, zone_twice, leap_second."""

    ms: int | None
    doubt: str | None = None


NEVER = Moment(None)
_PLACEHOLDER = Moment(None, "placeholder")
_UNREADABLE = Moment(None, "unreadable")
_ABSURD = Moment(None, "absurd")


def read_time(value: JsonValue, zone: str | None = None) -> Moment:
    """Never raises. `zone` (IANA) is where local times without one were written."""
    if isinstance(value, str):
        return _of_text(value, zone)
    if value is None:
        return NEVER
    if isinstance(value, bool) or not isinstance(value, int | float):
        return _UNREADABLE
    return _of_number(value)


def ms_of(value: JsonValue, zone: str | None = None) -> int | None:
    return read_time(value, zone).ms


def first_time(*written: JsonValue, zone: str | None = None) -> Moment:
    """The first that can be read; where none can, why not the first that was written at all."""
    first = NEVER
    for one in written:
        moment = read_time(one, zone)
        if moment.ms is not None:
            return moment
        if first is NEVER:
            first = moment
    return first


def as_datetime(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def as_ms(moment: datetime) -> int:
    """Rounded down."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1_000 + since.microseconds // 1_000


def _of_text(text: str, zone: str | None) -> Moment:
    if text.endswith("Z") and len(text) in (20, 24):
        try:
            return _believed(as_ms(datetime.fromisoformat(text)))
        except (ValueError, TypeError):
            pass  # the slower forms below know seconds of 60 and say what cannot be read
    elif len(text) == 19 and text[10] == " " and text[16] == ":":
        try:
            return _believed(*_in_zone(datetime.fromisoformat(text), zone))
        except (ValueError, OverflowError):
            pass
    text = text.strip()
    if not text:
        return _PLACEHOLDER
    if len(text) > 64:
        return _UNREADABLE
    if _NUMBER.match(text):
        return _of_number(float(text) if "." in text else int(text))
    parts = _ISO.match(text)
    return _of_iso(parts, zone) if parts else _of_mail_date(text, zone)


def _of_number(number: float) -> Moment:
    """By size: seconds, Gregorian seconds, milli-, micro- or nanoseconds."""
    if not -1e20 < number < 1e20:
        return _ABSURD
    if abs(number) < 6e10:
        return _believed(round(number * 1000))
    if abs(number) < 1e11:
        return _believed(round((number - GREGORIAN_OFFSET) * 1000))
    for limit, per_ms in ((1e14, 1), (1e17, 1_000), (1e20, 1_000_000)):
        if abs(number) < limit:
            return _believed(int(number // per_ms))
    return _ABSURD


def _of_iso(parts: re.Match[str], zone: str | None) -> Moment:
    day, clock, second, fraction, offset = parts.groups()
    leap = second == "60"
    text = f"{day}T{clock}:{'59' if leap else second or '00'}.{(fraction or '')[:6].ljust(6, '0')}"
    try:
        local = datetime.fromisoformat(text)
        ms, doubt = (_at_offset(local, offset), None) if offset else _in_zone(local, zone)
    except (ValueError, OverflowError):
        return _UNREADABLE
    return _believed(ms + 1000, "leap_second") if leap else _believed(ms, doubt)


def _of_mail_date(text: str, zone: str | None) -> Moment:
    """RFC 2822, as in the head of an e-mail; -0000 is UTC, wherever it was written."""
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo or text.endswith("-0000"):
            return _believed(as_ms(moment if moment.tzinfo else moment.replace(tzinfo=UTC)))
        return _believed(*_in_zone(moment, zone))
    except (ValueError, TypeError, OverflowError, IndexError):
        return _UNREADABLE


def _at_offset(local: datetime, offset: str) -> int:
    if offset in ("Z", "z", "UTC", "GMT"):
        return as_ms(local.replace(tzinfo=UTC))
    digits = offset[1:].replace(":", "").ljust(4, "0")
    minutes = int(digits[:2]) * 60 + int(digits[2:])
    if minutes >= 24 * 60:
        raise ValueError("no such offset")
    return as_ms(local.replace(tzinfo=UTC)) - (minutes if offset[0] == "+" else -minutes) * 60_000


def _in_zone(local: datetime, zone: str | None) -> tuple[int, str | None]:
    """A local time that a change of clocks skips, or brings twice, is read by the offset before the change, and called doubtful."""
    ms, place = (local - _LOCAL_EPOCH) // _MS, _zone(zone)
    if place is None:
        return ms, "no_zone"
    before, after = place.utcoffset(local), place.utcoffset(local.replace(fold=1))
    ms -= (before or _NO_TIME) // _MS
    if before == after or before is None or after is None:
        return ms, None
    return ms, "zone_gap" if before < after else "zone_twice"


@lru_cache(maxsize=512)
def _zone(name: str | None) -> tzinfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _believed(ms: int, doubt: str | None = None) -> Moment:
    if _EARLIEST_MS <= ms < _LATEST_MS:
        return Moment(ms, doubt)
    return _PLACEHOLDER if abs(ms) < _PLACEHOLDER_MS else _ABSURD
