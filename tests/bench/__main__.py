"""`make bench`: how fast, how soon and how lean, each figure with its goal beside it.

BENCH_PARTS picks among: drain (ingest and scoring draining a preloaded topic of Apache Kafka, beside the bare floor and a
record-at-a-time twin), replicas (two processes against one), latency (contact over to decision), console (answer to a console's event),
catchup (after an outage), memory (growth while events pass), import (a file of profiles), dialects (reading each platform's payloads).
All by default.

BENCH_SHAPES ("ingest scoring mixed") says what is drained, by replicas and for memory too; mixed is ingest with several platforms'
contacts in one topic. BENCH_ROUNDS (3), BENCH_EVENTS (60000) and BENCH_TWIN (2000) are the drain's. BENCH_SHARED (40000) events
lie before the replicas; BENCH_SECONDS (30) and BENCH_ANSWER_SECONDS (15) is how long contacts and answers come; BENCH_BEHIND (30000)
records pile up; BENCH_MEMORY (200000) events pass through a process, 1000000 for the long look; BENCH_PROFILES (30000) are in the file.
It prints tables, and a JSON line per service and figure. Speeds depend on the machine and on who else uses it: only ratios within one
run are worth comparing.
"""

import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from shared.runtime import collector
from tests.bench import catchup, console, dialects, importing, latency, memory, replicas
from tests.bench.figures import MEANINGS, Line, table
from tests.bench.goals import Figure, alarms, costs, of_line, table_of
from tests.bench.plan import Plan, plan
from tests.bench.rounds import run
from tests.bench.servers import Servers, servers

Part = Callable[[Servers, Plan, Callable[[str], None]], list[Figure]]
MEASURED: Mapping[str, Part] = {
    "replicas": replicas.two_against_one,
    "latency": latency.over_to_decision,
    "console": console.answer_to_console,
    "catchup": catchup.after_an_outage,
    "memory": memory.growth,
    "import": importing.a_directory,
    "dialects": dialects.all_of_them,
}


def main() -> None:
    chosen = plan(os.environ)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # a topic just made has no leader at first, and is tried again
    collector.spare()  # as a service's process does; floor and twin have the good of it too
    with servers() as running:
        lines = run(running, chosen, _say) if "drain" in chosen.parts else []
        figures = [figure for line in lines for figure in of_line(line)]
        for name in chosen.parts:
            if name in MEASURED:
                figures += MEASURED[name](running, chosen, _say)
    if lines:
        _show_drained(lines)
    _show(figures)
    print("\n".join([*(line.as_json() for line in lines), *(figure.as_json() for figure in figures)]))


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _show_drained(lines: Sequence[Line]) -> None:
    print(table(lines))
    print()
    for line in lines:
        print(f"{line.name}: {MEANINGS[line.name]}")
    print("floor: the same records polled, decoded, inserted, committed, published again one by one, offsets committed; no logic")
    print("twin: the same records one at a time on FastStream, each with inbox, row, outbox, publish, offset; no logic")
    print()
    for words in (*alarms(lines), *filter(None, map(costs, lines))):
        print(words)


def _show(figures: Sequence[Figure]) -> None:
    print(table_of(figures))
    print()
    for figure in figures:
        if figure.meaning:
            print(f"{figure.name}: {figure.meaning}")


if __name__ == "__main__":
    main()
