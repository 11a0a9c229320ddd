"""Records at fault, which become dead letters while their offsets move on."""

from collections.abc import Sequence

from shared.runtime import dead_letters, offsets
from shared.runtime.applying import Applied
from shared.runtime.broker import Progress, Record
from shared.runtime.database import Database
from shared.runtime.dead_letters import Letter
from shared.runtime.errors import Unprocessable
from shared.runtime.measures import Measures
from shared.runtime.sealing import Sealer


async def buried(
    database: Database, records: Sequence[Record], progress: Progress, *, fault: Exception, sealer: Sealer, measures: Measures
) -> Applied:
    """Of those still ours: with the code and path of an Unprocessable, and of any other fault its class."""
    reason, path = (fault.code, fault.path) if isinstance(fault, Unprocessable) else (f"failed:{type(fault).__name__}", None)
    async with database.transaction() as unit:
        owned = await offsets.advance(unit.tx, progress)
        letters = [Letter(record, reason, path) for record in records if record.place in owned]
        await dead_letters.bury(unit.tx, letters, sealer)
    database.wake()
    for letter in letters:
        measures.dead.labels(letter.record.topic, reason).inc()
    return Applied(owned, frozenset(letter.record.at for letter in letters))
