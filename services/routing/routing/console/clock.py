"""Time in words: first what it means, then what the clock says. Every moment is shown in the zone of whoever looks."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.schemas import Window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
SOON = HOUR


def left(due: datetime, now: datetime, *, zone: str) -> str:
    """ "18 min left", "2 h 13 left", "17 h left", from 24 h on the weekday; "12 min late". Never seconds. The script says the same."""
    minutes = int((due - now) / MINUTE)
    if -1 < minutes < 1:
        return "due now"
    if minutes < 0:
        return f"{span(-minutes)} late"
    return f"{span(minutes)} left" if minutes < 24 * 60 else local(due, zone).strftime("%A")


def span(minutes: int) -> str:
    hours, rest = divmod(minutes, 60)
    if minutes < 60:
        return f"{minutes} min"
    if hours >= 48:
        return f"{hours // 24} days"
    return f"{hours} h {rest:02}" if hours < 10 and rest else f"{hours} h"


def tone(due: datetime, now: datetime) -> str:
    """late, soon or nothing: the colours of a clock."""
    return "late" if due <= now else "soon" if due - now < SOON else ""


def at(moment: datetime, now: datetime, *, zone: str) -> str:
    """ "16:12" today, "Wed 09:30" within a week, "3 Dec 09:30" else."""
    there, today = local(moment, zone), local(now, zone)
    if there.date() == today.date():
        return there.strftime("%H:%M")
    near = abs((there.date() - today.date()).days) < 7
    return there.strftime("%a %H:%M") if near else f"{there.day} {there:%b %H:%M}"


def ago(moment: datetime, now: datetime, *, zone: str) -> str:
    """ "8 s ago", "5 min ago", then the clock."""
    seconds = max(0, int((now - moment).total_seconds()))
    if seconds < 60:
        return f"{seconds} s ago"
    return f"{seconds // 60} min ago" if seconds < 3600 else at(moment, now, zone=zone)


def lasted(seconds: int) -> str:
    """ "0:48", "11:20", "1:02:11"."""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def day(moment: datetime, *, zone: str) -> str:
    """ "Tuesday 24 November"."""
    there = local(moment, zone)
    return f"{there:%A} {there.day} {there:%B}"


def weekday(moment: datetime, now: datetime, *, zone: str) -> str:
    """ "Wednesday" within a week, "3 December" else."""
    there = local(moment, zone)
    return there.strftime("%A") if (there.date() - local(now, zone).date()).days < 7 else f"{there.day} {there:%B}"


def there(now: datetime, zones: Iterable[str]) -> str:
    """What the customer's clock says, or the earliest and latest of those it may be."""
    clocks = sorted({local(now, zone).replace(tzinfo=None) for zone in zones})
    if not clocks:
        return ""
    first, last = (f"{clock:%H:%M}" for clock in (clocks[0], clocks[-1]))
    return f"{first} there" if first == last else f"{first} to {last} there"


def open_window(windows: Sequence[Window], now: datetime) -> Window | None:
    return next((each for each in windows if each.from_ <= now < each.to), None)


def next_window(windows: Sequence[Window], now: datetime) -> Window | None:
    return next((each for each in windows if each.from_ > now), None)


def until(window: Window, now: datetime, *, zone: str) -> str:
    """ "until 18:00"; "any time" for a window that does not end within a day."""
    return "any time" if window.to - now > DAY else f"until {at(window.to, now, zone=zone)}"


def between(window: Window, now: datetime, *, zone: str) -> str:
    """ "17:00 to 19:00", "Wed 09:00 to 12:00"."""
    opens = at(window.from_, now, zone=zone)
    return f"from {opens}" if window.to - window.from_ > DAY else f"{opens} to {local(window.to, zone):%H:%M}"


def local(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone))
