"""How often a program waits for PostgreSQL: counted on the wire, by libpq's own trace, so that nothing that is sent is overlooked."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import event

from shared.runtime.database import Database

ASKS = ("Query", "Sync")
"""What is answered before the program goes on: a simple query, and the end of an extended one or of a pipeline."""


@dataclass(frozen=True, slots=True)
class Trips:
    file: Path

    def count(self) -> int:
        """So far."""
        return self._sent(*ASKS)

    def statements(self) -> int:
        """How many were done so far, however many a trip took."""
        return self._sent("Query", "Execute")

    def _sent(self, *kinds: str) -> int:
        """A line is time, F or B (from us, or back), length and message."""
        lines = (line.split("\t") for line in self.file.read_text(errors="replace").splitlines())
        return sum(len(line) > 3 and line[1] == "F" and line[3].startswith(kinds) for line in lines)


@asynccontextmanager
async def round_trips(database: Database) -> AsyncIterator[Trips]:
    """Those of every connection while it lasts, the pool's own included; one warm connection is there before."""
    with tempfile.NamedTemporaryFile(suffix=".trace") as file:

        def listen(connection: Any, *_: object) -> None:
            connection.driver_connection.pgconn.trace(file.fileno())

        async with database.engine.connect() as warm:
            listen(await warm.get_raw_connection())
        event.listen(database.engine.sync_engine, "connect", listen)
        try:
            yield Trips(Path(file.name))
        finally:
            event.remove(database.engine.sync_engine, "connect", listen)
            await database.engine.dispose()
