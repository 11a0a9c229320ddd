"""What a file of the member directory costs the command that an operator runs, and how large it grows."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg

from shared.schemas import GivenAddress, ProfileGiven
from tests.bench.goals import Figure, Goal
from tests.bench.plan import Plan
from tests.bench.seeds import member
from tests.bench.servers import Servers
from tests.support.asking import KEYS, PEPPER

PROCESSOR = Goal(300, at_most=True)
"""A million in five minutes of one core."""
MEMORY = Goal(256, at_most=True)
LOOK_S = 0.05


def a_directory(servers: Servers, plan: Plan, said: Callable[[str], None]) -> list[Figure]:
    """Members nobody knew, each with a number and a mailbox of their own, by `import-profiles`."""
    url = servers.databases.fresh("ingest")
    with tempfile.TemporaryDirectory() as folder:
        start, _ = _used(_written(Path(folder), 1), url)
        file, began = _written(Path(folder), plan.profiles), time.monotonic()
        processor, memory = _used(file, url)
        seconds = time.monotonic() - began
    taken = _customers(url)
    said(f"import: {taken:,} of {plan.profiles:,} profiles in {seconds:.1f} s, {processor:.1f} s of a core, {memory / 1e6:.0f} MB")
    facts = {"profiles": taken, "seconds": round(seconds, 1), "per_second": round(taken / seconds), "start_s": round(start, 1)}
    meaning = f"of the command, without its start, for {taken:,} profiles of members nobody knew"
    return [
        Figure("import processor", (processor - start) / taken * 1e6, "us/profile", PROCESSOR, meaning, facts),
        Figure("import memory", memory / 1e6, "MB", MEMORY, "resident memory of the command, at its largest"),
    ]


def _written(folder: Path, profiles: int) -> Path:
    file = folder / f"{profiles}.jsonl"
    file.write_bytes(b"".join(_profile(person).encode() + b"\n" for person in range(profiles)))
    return file


def _profile(person: int) -> ProfileGiven:
    known, mailbox = member(person), GivenAddress(kind="email", value=f"member-{person}@example.com")
    more = {"postal_code": f"{person % 90_000 + 10_000}", "flags": ("do_not_survey",) if person % 50 == 0 else None}
    return known.model_copy(update={**more, "addresses": (*(known.addresses or ()), mailbox)})


def _used(file: Path, url: str) -> tuple[float, int]:
    """Processor seconds and the largest resident bytes, as far as they were seen."""
    told = {"AFTERCALL_DATABASE_URL": url, "AFTERCALL_SEAL_KEYS": KEYS, "AFTERCALL_PEPPER": PEPPER}
    processor, memory = 0.0, 0
    with subprocess.Popen(
        [sys.executable, "-m", "ingest", "import-profiles", str(file)],
        env={**os.environ, **told},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as command:
        seen = psutil.Process(command.pid)
        while command.poll() is None:
            with seen.oneshot():
                times = seen.cpu_times()
                processor, memory = times.user + times.system, max(memory, seen.memory_info().rss)
            time.sleep(LOOK_S)
    return processor, memory


def _customers(url: str) -> int:
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        found = connection.execute("select count(*) from ingest.customer").fetchone()
    assert found
    return int(found[0])
