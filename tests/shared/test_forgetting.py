"""A message that waits, whose person asks to be forgotten while it is handed in again, is gone for good."""

from collections.abc import Sequence

import pytest

from shared.runtime import waiting
from shared.runtime.applying import Applied
from shared.runtime.broker import Progress, Record
from shared.runtime.database import rows, run
from shared.runtime.memory import MemoryBroker
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import Deps, Toy, answer, create_tables


@pytest.mark.parametrize("until", ["now() + interval '1 day'", "now()"])
async def test_what_is_forgotten_while_it_is_tried_again_does_not_come_back(database_url: str, until: str) -> None:
    await create_tables(database_url)
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    toy = Toy(database_url, broker, deps=Deps(unknown={"a-1"}))
    await broker.publish([answer(1)])
    (record,) = [record for log in broker.logs.values() for record in log]
    await toy.dispatch([record], None)
    async with toy.database.transaction() as unit:
        await run(unit.tx, f"update waiting set due = now(), until = {until}")

    async def forgets_and_tries(records: Sequence[Record], progress: Progress | None, *, again: bool = False) -> Applied:
        async with toy.database.transaction() as unit:
            await run(unit.tx, "delete from waiting")
        return await toy.dispatch(records, progress, again=again)

    await waiting.hand_in_again(toy.database, forgets_and_tries, toy.sealer)

    async with toy.database.transaction() as unit:
        assert await rows(unit.tx, "select 1 from waiting union all select 1 from dead_letter") == []
    await toy.database.close()
