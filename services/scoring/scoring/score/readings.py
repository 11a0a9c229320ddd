"""tNPS as it is read: counts summed over whole days, then one score and interval per cell. Scores are never averaged."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from scoring.score.hide import Hidden, hidden_in_line, hidden_in_table
from scoring.score.model import Tally
from shared import nps

SEGMENT_GRAIN = frozenset({"channel", "segment", "moment"})
TEAM_GRAIN = frozenset({"channel", "team"})
KINDS = frozenset({"tnps", "recovery", "relationship"})
LONGEST_DAYS = 731
MOST_DIMENSIONS = 2


class ReadingRefused(ValueError):
    """A reading that cannot be given; `path` is the query parameter at fault, `reason` a code."""

    def __init__(self, path: str, reason: str, sentence: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(sentence)


@dataclass(frozen=True, slots=True)
class Window:
    """Whole days, both ends in it."""

    first: date
    last: date

    def before(self) -> "Window":
        """As many days, ending the day before."""
        days = (self.last - self.first).days + 1
        return Window(self.first - timedelta(days=days), self.first - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Reading:
    """One cell. Everything but `by` is None where it is hidden; `low` and `high` are the 95 % interval in points."""

    by: Mapping[str, str]
    hidden: Hidden | None = None
    tally: Tally | None = None
    score: float | None = None
    low: float | None = None
    high: float | None = None


def dimensions(by: str) -> tuple[str, ...]:
    """The parts of `channel,segment`, in the order asked for."""
    parts = tuple(part.strip() for part in by.split(",") if part.strip())
    if not parts or len(set(parts)) != len(parts) or len(parts) > MOST_DIMENSIONS:
        raise ReadingRefused("by", "one_or_two", "Name one or two of channel, segment, moment, team, with a comma between")
    if not (set(parts) <= SEGMENT_GRAIN or set(parts) <= TEAM_GRAIN):
        raise ReadingRefused("by", "not_counted_together", "Answers are counted by channel with segment or moment, or by channel with team")
    return parts


def window(asked: str, today: date) -> Window:
    """`30d`: that many whole days, today the last of them."""
    match = re.fullmatch(r"([1-9]\d{0,3})d", asked)
    days = int(match.group(1)) if match else 0
    if not 1 <= days <= LONGEST_DAYS:
        raise ReadingRefused("window", "days", f"Name whole days from 1d to {LONGEST_DAYS}d, such as 30d")
    return Window(today - timedelta(days=days - 1), today)


def kind(asked: str) -> str:
    if asked not in KINDS:
        raise ReadingRefused("kind", "unknown", "Kinds are tnps, recovery and relationship")
    return asked


def readings(
    by: Sequence[str], cells: Mapping[tuple[str, ...], Tally], *, whole: Collection[tuple[str, ...]] | None = None
) -> list[Reading]:
    """Every cell with answers, in the order of its names. `whole`: cells this reader sees however small they are; None: no cell is hidden.

    What the reader sees whole hides nothing else: the others are protected among themselves.
    """
    hidden = {} if whole is None else _hidden({cell: tally for cell, tally in cells.items() if cell not in whole})
    return [_reading(dict(zip(by, cell, strict=True)), tally, hidden.get(cell)) for cell, tally in sorted(cells.items()) if tally.n]


def _hidden(cells: Mapping[tuple[str, ...], Tally]) -> dict[tuple[str, ...], Hidden]:
    if all(len(cell) == 1 for cell in cells):
        return {(name,): why for name, why in hidden_in_line({cell[0]: tally.n for cell, tally in cells.items()}).items()}
    return {tuple(cell): why for cell, why in hidden_in_table({(cell[0], cell[1]): tally.n for cell, tally in cells.items()}).items()}


def _reading(by: Mapping[str, str], tally: Tally, hidden: Hidden | None) -> Reading:
    if hidden is not None:
        return Reading(by, hidden)
    low, high = nps.interval(tally.detractors, tally.passives, tally.promoters)
    return Reading(by, None, tally, nps.score(tally.detractors, tally.passives, tally.promoters), low, high)
