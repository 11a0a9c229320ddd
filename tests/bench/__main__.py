"""`make bench`: ingest and scoring draining a preloaded topic of Apache Kafka, beside the bare floor and a record-at-a-time twin.

BENCH_ROUNDS (3), BENCH_EVENTS (60000), BENCH_TWIN (2000) and BENCH_SHAPES ("ingest scoring") make it shorter. It prints a table and
one JSON line per service. Speeds depend on the machine and on who else uses it: only ratios within one run are worth comparing.
"""

import logging
import os
import sys

from shared.runtime import collector
from tests.bench.figures import MEANINGS, Line, table
from tests.bench.rounds import SHAPES, Plan, run
from tests.bench.servers import servers


def plan() -> Plan:
    def number(name: str, default: int) -> int:
        return int(os.environ.get(name) or default)

    names = os.environ.get("BENCH_SHAPES", "").split() or [shape.name for shape in SHAPES]
    return Plan(
        rounds=number("BENCH_ROUNDS", 3),
        events=number("BENCH_EVENTS", 60_000),
        twin_events=number("BENCH_TWIN", 2_000),
        shapes=[shape for shape in SHAPES if shape.name in names],
    )


def main() -> None:
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # a topic just made has no leader at first, and is tried again
    collector.spare()  # as a service's process does; floor and twin have the good of it too
    with servers() as running:
        lines = run(running, plan(), lambda words: print(words, file=sys.stderr, flush=True))
    _show(lines)


def _show(lines: list[Line]) -> None:
    print(table(lines))
    print()
    for line in lines:
        print(f"{line.name}: {MEANINGS[line.name]}")
    print("floor: the same records polled, decoded, inserted, committed, published again one by one, offsets committed; no logic")
    print("twin: the same records one at a time on FastStream, each with inbox, row, outbox, publish, offset; no logic")
    for line in lines:
        print(line.as_json())


if __name__ == "__main__":
    main()
