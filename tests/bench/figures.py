"""From the rounds to what is printed: medians, and the median of the ratios within each round."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from tests.bench.clock import Drained

OURS, FLOOR, TWIN = "ours", "floor", "twin"
CONTENDERS = (OURS, FLOOR, TWIN)
PARTS_OF_CPU = ("python", "postgres", "java")
Round = Mapping[str, Drained]
"""What each contender made of one round; all of them ran one after the other, on the same servers and the same topic."""

MEANINGS = {
    "ingest": "the whole service: events judged, contacts closed and their customers found; one message per contact, none per event",
    "mixed": "the same of contacts of several platforms beside each other, each told in its platform's own payloads",
    "scoring": "the whole service: nineteen rules, history, decision, survey; one message per contact",
}
HEADINGS = ("", "events", "events/s", "of floor", "of twin", "python us", "postgres us", "java us", "wal bytes")


@dataclass(frozen=True, slots=True)
class Line:
    """One shape over all rounds. A ratio is the median of the rounds' ratios: neighbours on the machine touch both sides of it."""

    name: str
    rounds: Sequence[Round]

    def per_second(self, contender: str) -> float:
        return median(each[contender].per_second for each in self.rounds)

    def ratios(self, contender: str) -> list[float]:
        """Ours to the contender's, of each round."""
        return sorted(each[OURS].per_second / each[contender].per_second for each in self.rounds)

    def cost(self, contender: str, of: str) -> float:
        """Processor microseconds per event."""
        spent: list[float] = [getattr(each[contender].cpu, of) / each[contender].events for each in self.rounds]
        return median(spent) * 1e6

    def wal(self, contender: str) -> float:
        """Bytes of the database's write-ahead log per event."""
        return median(each[contender].wal / each[contender].events for each in self.rounds)

    def batches(self) -> list[float]:
        """Seconds of each of our batches of all rounds that was more than half as large as the largest."""
        all_of_them = [batch for each in self.rounds for batch in each[OURS].batches]
        largest = max(batch.records for batch in all_of_them)
        return [batch.seconds for batch in all_of_them if 2 * batch.records > largest]

    def as_json(self) -> str:
        said = {
            "name": self.name,
            "events_per_second": round(self.per_second(OURS)),
            "floor": round(self.per_second(FLOOR)),
            "twin": round(self.per_second(TWIN)),
            "ratio_floor": round(median(self.ratios(FLOOR)), 3),
            "ratio_twin": round(median(self.ratios(TWIN)), 1),
            "rounds": len(self.rounds),
            "events": self.rounds[0][OURS].events,
            "ratios_floor": [round(ratio, 3) for ratio in self.ratios(FLOOR)],
            "cpu_us": {of: round(self.cost(OURS, of), 1) for of in PARTS_OF_CPU},
            "wal_bytes": round(self.wal(OURS)),
        }
        return json.dumps(said)


def table(lines: Sequence[Line]) -> str:
    return aligned([HEADINGS, *(row for line in lines for row in _rows(line))], left=(0,))


def aligned(rows: Sequence[Sequence[str]], *, left: Collection[int]) -> str:
    """Columns side by side; those of words begin where they begin, numbers end where they end."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if n in left else cell.rjust(width) for n, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in rows
    )


def _rows(line: Line) -> Iterator[tuple[str, ...]]:
    for contender in CONTENDERS:
        ratios = [f"{median(line.ratios(FLOOR)):.2f}", f"{median(line.ratios(TWIN)):.0f}"] if contender == OURS else ["", ""]
        costs = [f"{line.cost(contender, of):.0f}" for of in PARTS_OF_CPU]
        events = line.rounds[0][contender].events
        yield (
            f"{line.name} {contender}",
            f"{events:,}",
            f"{line.per_second(contender):,.0f}",
            *ratios,
            *costs,
            f"{line.wal(contender):,.0f}",
        )
