"""Messages that speak of something not known yet: kept sealed, handed in again with growing pauses, a dead letter after 24 hours."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping

from shared.runtime import dead_letters
from shared.runtime.applying import Apply
from shared.runtime.broker import Record
from shared.runtime.database import Database, Unit, as_json, rows, run
from shared.runtime.dead_letters import Letter
from shared.runtime.delivery import Delivery
from shared.runtime.sealing import Sealer

LONGEST = timedelta(hours=24)
FIRST_PAUSE = timedelta(seconds=2)
UNKNOWN_REFERENCE = "unknown_reference"

_PARK = """
insert into waiting (topic, reference, key, headers, body, hash, logged, due, until)
select topic, reference, key, headers, body, hash, logged, now() + cast(:pause as interval), now() + cast(:longest as interval)
from jsonb_to_recordset(cast(:parked as jsonb)) as p(topic text, reference text, key bytea, headers jsonb, body bytea, hash bytea,
  logged timestamptz)
on conflict (topic, hash) do nothing"""

_LEASE = """
update waiting w set tries = w.tries + 1, due = now() + least(power(2, w.tries + 1), 1800) * interval '2 seconds'
from (select id from waiting where due <= now() order by due limit 100 for update skip locked) d
where d.id = w.id returning w.*, w.until <= now() as over"""

_PUT_ANEW = "delete from waiting where topic = :topic and hash = :hash and id <> :id"


async def park(unit: Unit, parked: Sequence[tuple[Delivery[Any], str]], sealer: Sealer) -> None:
    if not parked:
        return
    kept = []
    for delivery, reference in parked:
        letter = dead_letters.kept(delivery.record, sealer)
        kept.append({**letter, "reference": reference, "logged": delivery.record.logged})
    await run(unit.tx, _PARK, parked=as_json(kept), pause=FIRST_PAUSE, longest=LONGEST)


async def hand_in_again(database: Database, apply: Apply, sealer: Sealer) -> int:
    """Try what is due once more; returns how many are not waiting any longer."""
    async with database.transaction() as unit:
        due = await rows(unit.tx, _LEASE)
    done = 0
    for each in due:
        record = _record(each, sealer)
        applied = await apply([record], None, again=True)
        if applied.parked:
            await _forgotten_meanwhile(database, each)
        if not applied.parked or each["over"]:
            await _leave(database, each["id"], letter=Letter(record, UNKNOWN_REFERENCE) if applied.parked else None, sealer=sealer)
            done += 1
    return done


async def _forgotten_meanwhile(database: Database, each: RowMapping) -> None:
    """Where its row went while it was tried, because somebody asked to be forgotten, the try has put it there anew."""
    async with database.transaction() as unit:
        await run(unit.tx, _PUT_ANEW, topic=each["topic"], hash=each["hash"], id=each["id"])


async def _leave(database: Database, waited: UUID, *, letter: Letter | None, sealer: Sealer) -> None:
    """What has gone meanwhile leaves nothing behind."""
    async with database.transaction() as unit:
        if await run(unit.tx, "delete from waiting where id = :id", id=waited):
            await dead_letters.bury(unit.tx, [letter] if letter else [], sealer)


def _record(each: RowMapping, sealer: Sealer) -> Record:
    headers = tuple((name, bytes.fromhex(value)) for name, value in each["headers"])
    return Record(each["topic"], -1, -1, each["key"], sealer.unseal_bytes(each["body"]), headers, each["logged"])
