"""What a run measures, and how much of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.load import INGEST, SCORING, Shape
from tests.bench.mixed import MIXED

SHAPES = (INGEST, SCORING, MIXED)
PARTS = ("drain", "replicas", "latency", "console", "catchup", "memory", "import", "dialects")


class NotOneOf(ValueError):
    def __init__(self, setting: str, unknown: Sequence[str], known: Sequence[str]) -> None:
        super().__init__(f"{setting} names {', '.join(unknown)}: choose among {' '.join(known)}")


@dataclass(frozen=True, slots=True)
class Plan:
    """`events` per round for ours and the floor, `twin_events` for the twin; `shared_events` lie before the replicas.

    `per_second` contacts are over for `seconds`, and `answers_per_second` come for `answer_seconds`; an outage leaves `behind` records.
    `memory_events` pass through one process of each service; `profiles` are in the file that is imported.
    """

    parts: Sequence[str] = PARTS
    shapes: Sequence[Shape] = SHAPES
    rounds: int = 3
    events: int = 60_000
    twin_events: int = 2_000
    shared_events: int = 40_000
    per_second: int = 1_000
    seconds: int = 30
    answers_per_second: int = 100
    answer_seconds: int = 15
    behind: int = 30_000
    memory_events: int = 200_000
    profiles: int = 30_000


def plan(given: Mapping[str, str]) -> Plan:
    """From the environment. Raises NotOneOf for a part or a shape that is none."""
    usual = Plan()

    def number(name: str, default: int) -> int:
        return int(given.get(f"BENCH_{name}") or default)

    shapes = {shape.name: shape for shape in SHAPES}
    return Plan(
        parts=_chosen(given, "BENCH_PARTS", PARTS),
        shapes=[shapes[name] for name in _chosen(given, "BENCH_SHAPES", list(shapes))],
        rounds=number("ROUNDS", usual.rounds),
        events=number("EVENTS", usual.events),
        twin_events=number("TWIN", usual.twin_events),
        shared_events=number("SHARED", usual.shared_events),
        seconds=number("SECONDS", usual.seconds),
        answer_seconds=number("ANSWER_SECONDS", usual.answer_seconds),
        behind=number("BEHIND", usual.behind),
        memory_events=number("MEMORY", usual.memory_events),
        profiles=number("PROFILES", usual.profiles),
    )


def _chosen(given: Mapping[str, str], setting: str, known: Sequence[str]) -> list[str]:
    """Those named, in their usual order; all where none is."""
    names = given.get(setting, "").split() or known
    if unknown := [name for name in names if name not in known]:
        raise NotOneOf(setting, unknown, known)
    return [name for name in known if name in names]
