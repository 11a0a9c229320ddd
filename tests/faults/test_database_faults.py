"""The database at its worst under the real services."""

import asyncio
from collections import defaultdict
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from tests.support.checking import judged, settle
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.fleet import platform_key
from tests.support.ledger import CONTACTS, native
from tests.support.outsiders import answering, steadily
from tests.support.scene import Scene
from tests.support.verdicts import VERDICTS

pytestmark = [pytest.mark.fault, pytest.mark.kafka, pytest.mark.slow]

COMMIT = b"COMMIT"
STORE = b"insert into event as v"


async def test_c3_connections_reset_during_commit(scene: Scene) -> None:
    """Through the proxy: the commit arrives, its answer does not. Nobody can know, so it is looked up again by id."""
    port = make_url(scene.fleet.database_url).port
    assert port
    async with fault_proxy("127.0.0.1", port) as proxy:
        scene.fleet.database_port = proxy.port
        await scene.fleet.start_all()
        breaking = asyncio.create_task(_keep_breaking(proxy))
        async with answering(scene):
            await steadily(scene.ledger, range(CONTACTS), a_second=100)
            breaking.cancel()
            proxy.trigger = b""
            await settle(scene.fleet, scene.ledger)
        assert proxy.triggered >= 5
        await judged("C3", scene.fleet, scene.ledger, began=scene.began, resets_during_commit=proxy.triggered)


async def test_c4_an_exhausted_pool_answers_503_with_retry_after_and_the_consumer_waits(scene: Scene) -> None:
    """Somebody locks the table of events: every connection waits behind it, and nobody waits for ever."""
    scene.fleet.variables |= {"INGEST_POOL_SIZE": "4", "INGEST_POOL_WAIT_S": "1"}
    ingest = (await scene.fleet.start_all("ingest"))["ingest"]
    key = await platform_key(scene.fleet)
    statuses: dict[int, int] = defaultdict(int)
    async with await psycopg.AsyncConnection.connect(scene.fleet.database_url.replace("+psycopg", "")) as connection:
        await connection.execute("lock table ingest.event in access exclusive mode")
        await scene.ledger.tell(range(100))
        bodies = [native(number, ended=datetime.now(UTC)) for number in range(1_000, 1_020)]
        async with httpx.AsyncClient(timeout=60) as client:
            tries = [_post(client, ingest.url, key, body=(each.records[0].value or b"")) for each in bodies]
            waiting = [asyncio.create_task(each) for each in tries]
            done, _ = await asyncio.wait(waiting, timeout=8)
            for each in done:
                answer = each.result()
                statuses[answer.status_code] += 1
                assert answer.status_code == 503
                assert int(answer.headers["retry-after"]) > 0
            assert len(done) >= 16
            await connection.rollback()
            for each in waiting:
                if each not in done:
                    statuses[(await each).status_code] += 1
    assert ingest.alive
    await scene.fleet.until(
        "select count(distinct root) from ingest.event where root like 'call-%' and root not like 'call-1___' or platform <> 'native'", 100
    )
    await judged_statuses(scene, statuses)


async def judged_statuses(scene: Scene, statuses: dict[int, int]) -> None:
    """What was answered with 503 is not stored, what was answered with 202 is."""
    stored = await scene.fleet.count("select count(distinct root) from ingest.event where root like 'call-1___'")
    VERDICTS.say(
        "C4",
        events=scene.ledger.events + sum(statuses.values()),
        lost=statuses.get(202, 0) - stored,
        duplicates={"stored_though_refused": stored - statuses.get(202, 0)},
        began=scene.began,
        statuses={str(status): count for status, count in statuses.items()},
    )


async def _post(client: httpx.AsyncClient, url: str, key: str, *, body: bytes) -> httpx.Response:
    return await client.post(
        f"{url}/v1/events", content=body, headers={"authorization": f"Bearer {key}", "content-type": "application/json"}
    )


async def _keep_breaking(proxy: FaultProxy) -> None:
    """By turns the commit of a transaction and the one statement that stores events."""
    for n in range(1_000):
        proxy.trigger = STORE if n % 3 == 0 else COMMIT
        await asyncio.sleep(0.7)
