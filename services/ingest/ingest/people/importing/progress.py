"""How far an import has come, as one line for whoever waits for it."""

from dataclasses import dataclass

WIDTH = 24


@dataclass(slots=True)
class Count:
    """`known`: lines that were taken by an earlier run. `left`: parts of taken profiles that could not be used. `read` is in bytes."""

    lines: int = 0
    taken: int = 0
    known: int = 0
    bad: int = 0
    left: int = 0
    read: int = 0


def line(count: Count, *, size: int, seconds: float) -> str:
    """`size` in bytes, 0 where nobody knows, as of a pipe."""
    speed = count.lines / seconds if seconds > 0 else 0.0
    said = [f"{count.lines:,} lines", f"{speed:,.0f}/s", f"{count.bad:,} bad"]
    if not size:
        return "  ".join(said)
    part = min(count.read / size, 1.0)
    bar = "#" * round(part * WIDTH)
    left = seconds / part - seconds if part else 0.0
    return "  ".join([f"[{bar:.<{WIDTH}}] {part:.0%}", *said, f"{_clock(left)} left"])


def summary(count: Count) -> str:
    return (
        f"{count.lines:,} lines: {count.taken:,} taken, {count.known:,} taken before, {count.bad:,} bad; "
        f"{count.left:,} parts could not be used"
    )


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"
