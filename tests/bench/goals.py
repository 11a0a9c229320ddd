"""Figures with their goals beside them, and what costs it where one is missed."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from tests.bench.figures import FLOOR, OURS, PARTS_OF_CPU, TWIN, Line, aligned

ALARM_BELOW = 50
"""Of the twin: somebody went back to one record at a time."""


class Wanted(NamedTuple):
    """Of a shape that is drained: of the floor, p50 and p99 of a batch, processor and write-ahead log per event."""

    of_floor: float
    p50_ms: float
    p99_ms: float
    cpu_us: float
    wal_bytes: float


EVENTS = Wanted(1.3, 25, 100, 60, 1_300)
WANTED = {"ingest": EVENTS, "mixed": EVENTS, "scoring": Wanted(1.0, 40, 100, 90, 2_000)}


@dataclass(frozen=True, slots=True)
class Goal:
    """At least `bound`, or at most."""

    bound: float
    at_most: bool = False

    def met_by(self, value: float) -> bool:
        return value <= self.bound if self.at_most else value >= self.bound

    def __str__(self) -> str:
        return f"{'<=' if self.at_most else '>='} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a run. `meaning` says what was measured; `facts` go into its JSON line only."""

    name: str
    value: float
    unit: str
    goal: Goal | None = None
    meaning: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return self.goal is None or self.goal.met_by(self.value)

    def as_json(self) -> str:
        judged = {"goal": str(self.goal), "met": self.met} if self.goal else {}
        return json.dumps({"name": self.name, "value": _rounded(self.value), "unit": self.unit, **judged, **self.facts})


def percentile(values: Sequence[float], part: float) -> float:
    """The smallest that `part` of them do not exceed (nearest rank)."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def table_of(figures: Sequence[Figure]) -> str:
    return aligned([("", "figure", "unit", "goal", ""), *(_row(each) for each in figures)], left=(0, 2, 3, 4))


def _row(figure: Figure) -> tuple[str, ...]:
    verdict = "" if figure.goal is None else "met" if figure.met else "MISSED"
    return figure.name, f"{_rounded(figure.value):,}", figure.unit, str(figure.goal or ""), verdict


def _rounded(value: float) -> float:
    """Three digits are all that a noisy machine lets one say."""
    return value if not math.isfinite(value) or value == 0 else round(value, max(0, 2 - math.floor(math.log10(abs(value)))))


def of_line(line: Line) -> Iterator[Figure]:
    """What draining says beside events per second."""
    wanted, batches = WANTED[line.name], line.batches()
    yield Figure(f"{line.name} of floor", median(line.ratios(FLOOR)), "x", Goal(wanted.of_floor))
    yield Figure(f"{line.name} of twin", median(line.ratios(TWIN)), "x", Goal(100))
    yield Figure(f"{line.name} batch p50", percentile(batches, 0.5) * 1e3, "ms", Goal(wanted.p50_ms, at_most=True))
    yield Figure(f"{line.name} batch p99", percentile(batches, 0.99) * 1e3, "ms", Goal(wanted.p99_ms, at_most=True))
    yield Figure(f"{line.name} processor", _cpu(line, OURS), "us/event", Goal(wanted.cpu_us, at_most=True))
    yield Figure(f"{line.name} write-ahead log", line.wal(OURS), "bytes/event", Goal(wanted.wal_bytes, at_most=True))


def alarms(lines: Sequence[Line]) -> Iterator[str]:
    for line in lines:
        if (ratio := median(line.ratios(TWIN))) < ALARM_BELOW:
            yield f"ALARM {line.name} is {ratio:.0f} x the twin, and less than {ALARM_BELOW} x means one record at a time"


def costs(line: Line) -> str | None:
    """Where the floor's goal is missed: which part of the machine takes the time, and how much more of it than the floor needs."""
    if median(line.ratios(FLOOR)) >= WANTED[line.name].of_floor:
        return None
    ours, floor = ({of: line.cost(who, of) for of in PARTS_OF_CPU} for who in (OURS, FLOOR))
    most = max(PARTS_OF_CPU, key=lambda of: ours[of] - floor[of])
    each = ", ".join(f"{of} {ours[of]:.0f} (floor {floor[of]:.0f})" for of in PARTS_OF_CPU)
    busy = _cpu(line, OURS) * line.per_second(OURS) / 1e6
    return f"{line.name} is under its goal: most of it is {most}. Processor us per event: {each}; {busy:.1f} cores were busy."


def _cpu(line: Line, who: str) -> float:
    return sum(line.cost(who, of) for of in PARTS_OF_CPU)
