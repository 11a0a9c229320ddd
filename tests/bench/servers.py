"""What the benchmark runs on: PostgreSQL with everything flushed and a real Apache Kafka, and what they and we cost in processor time."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import psycopg

from deploy.guardian import Guarded
from deploy.kafka.broker import kafka
from deploy.postgres.embedded import postgres
from tests.support.postgres import Databases

DURABLE = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "shared_buffers": "1GB",
    "max_wal_size": "8GB",
    "shared_preload_libraries": "pg_stat_statements",
    "pg_stat_statements.track": "all",
}
"""As in production; `max_wal_size` keeps checkpoints out of the rounds, for every contender alike."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """Processor seconds."""

    python: float
    postgres: float
    java: float

    def since(self, earlier: "Cpu") -> "Cpu":
        return Cpu(self.python - earlier.python, self.postgres - earlier.postgres, self.java - earlier.java)


@dataclass(frozen=True, slots=True)
class Servers:
    databases: Databases
    bootstrap: str
    broker: Guarded | None = None

    def cpu(self) -> Cpu:
        """Used so far: by this process, and by the two servers. A broker that was given is not ours to look into."""
        return Cpu(time.process_time(), _used(self.databases.server.guarded), _used(self.broker) if self.broker else 0.0)

    def wal(self) -> int:
        """Bytes of write-ahead log written so far."""
        with psycopg.connect(self.databases.server.url().replace("+psycopg", "")) as connection:
            written = connection.execute("select cast(pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0') as bigint)").fetchone()
        assert written
        return int(written[0])


@contextmanager
def servers() -> Iterator[Servers]:
    """Both, fresh, until the block ends."""
    with postgres(**DURABLE) as database, kafka() as broker:
        yield Servers(Databases(database), broker.bootstrap, broker.guarded)


def _used(server: Guarded) -> float:
    """Of a server and everything it started, also what has ended since: whoever ended is counted by its parent."""
    total = 0.0
    for process in psutil.Process(server.guardian.pid).children(recursive=True):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:  # ended between the two lines, and its parent has it now
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total
