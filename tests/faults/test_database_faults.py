"""The database at its worst under the real services and the real relay."""

import asyncio
import json
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from shared.runtime.database import Database, Unit, run
from shared.runtime.kafka import KafkaBroker
from shared.schemas import Consent, ConsentChanged
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.checking import judged, settle
from tests.support.fault_proxy import FaultProxy, fault_proxy
from tests.support.fleet import platform_key
from tests.support.ledger import CONTACTS, native
from tests.support.scene import Scene
from tests.support.toy import INPUT, OUTPUT, RELAY_BATCH, WHEN, Toy, create_tables
from tests.support.verdicts import VERDICTS
from tests.support.whole import read_all

pytestmark = [pytest.mark.fault, pytest.mark.kafka]

COMMIT = b"COMMIT"
_CLAIMED_TWICE = """select count(*) from (select objid from pg_locks where locktype = 'advisory' and granted
  group by database, classid, objid, objsubid having count(*) > 1) twice"""
STORE = b"insert into event as v"


class Relaying:
    """Toy processes whose relays publish what this test writes into their outbox."""

    def __init__(self, url: str, bootstrap: str) -> None:
        self.url, self.bootstrap, self.prefix = url, bootstrap, f"r{uuid4().hex[:8]}."
        self.database = Database(url, schema="public", pool_size=6)
        self.processes: list[asyncio.subprocess.Process] = []

    def broker(self) -> KafkaBroker:
        return KafkaBroker(self.bootstrap, prefix=self.prefix)

    async def start(self) -> asyncio.subprocess.Process:
        command = (sys.executable, "-m", "tests.support.toy", self.url, self.bootstrap, self.prefix)
        process = await asyncio.create_subprocess_exec(*command, env={**os.environ}, stdout=asyncio.subprocess.PIPE)
        self.processes.append(process)
        assert process.stdout
        await asyncio.wait_for(process.stdout.readline(), 60)
        return process

    async def say(self, key: str, words: list[str]) -> None:
        async with self.database.transaction() as unit:
            await lock(unit, key)
            for word in words:
                tell(unit, key, word)

    async def published(self) -> dict[str, list[str]]:
        """Words in the order of the log, by key. A word that comes again comes under the id it had."""
        found: dict[str, list[str]] = defaultdict(list)
        ids: dict[str, bytes | None] = {}
        for record in await read_all(self.broker(), OUTPUT):
            word, name = json.loads(record.value or b"")["consent"]["address_ref"], dict(record.headers)["ce_id"]
            found[(record.key or b"").decode()].append(word)
            assert ids.setdefault(word, name) == name
        return found

    async def empty(self, *, seconds: float = 30) -> float:
        """How long until nothing is owed any more."""
        toy, began = Toy(self.url, self.broker()), time.monotonic()
        await toy.until("select count(*) from outbox", 0, seconds=seconds)
        await toy.database.close()
        return round(time.monotonic() - began, 1)


@asynccontextmanager
async def relaying(url: str, bootstrap: str) -> AsyncIterator[Relaying]:
    await create_tables(url)
    made = Relaying(url, bootstrap)
    await made.broker().create([TOPICS[INPUT], TOPICS[OUTPUT], DEAD_TOPICS[INPUT + ".dead"]])
    try:
        yield made
    finally:
        for process in made.processes:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await made.database.close()


async def lock(unit: Unit, key: str) -> None:
    await run(unit.tx, "select pg_advisory_xact_lock(hashtext(:key))", key=key)


def tell(unit: Unit, key: str, word: str) -> None:
    consent = Consent(channel="sms", purpose="survey", state="granted", at=WHEN, source="toy", address_ref=word)
    unit.send(ConsentChanged(consent=consent), key=key, correlation=word)


async def test_c1_what_commits_late_is_published_and_nothing_of_its_key_overtakes_it(database_url: str, kafka_servers: str) -> None:
    began = time.monotonic()
    async with relaying(database_url, kafka_servers) as relays:
        await relays.start()
        async with relays.database.transaction() as early:
            await lock(early, "held")
            tell(early, "held", "first")
            await early.flush()
            same_key = asyncio.create_task(relays.say("held", ["second", "third"]))
            for n in range(200):
                await relays.say(f"other-{n % 20}", [f"{n}"])
            await asyncio.sleep(2)
            assert "held" not in await relays.published()
        await same_key
        await relays.empty()
        found = await relays.published()
    others = {f"other-{n}": [str(each) for each in range(n, 200, 20)] for n in range(20)}
    expected = {**others, "held": ["first", "second", "third"]}
    unordered = sum(found[key] != expected[key] for key in expected)
    words = [word for key in found for word in found[key]]
    VERDICTS.say("C1", events=203, lost=203 - len(words), duplicates={"keys_out_of_order": unordered}, began=began, keys=len(found))


async def test_c2_two_relays_share_the_shards_and_one_takes_over_from_the_killed_other(database_url: str, kafka_servers: str) -> None:
    """No double claim, order per key, and everything of the killed one's leaves within ten seconds (asserted: 50).

    What the broker had acknowledged when its relay was killed comes once more, under the same ids: one batch at most, all of it from before
    the kill, and nothing a third time.
    """
    began = time.monotonic()
    async with relaying(database_url, kafka_servers) as relays:
        first, second = await relays.start(), await relays.start()
        await asyncio.sleep(2)
        for n in range(300):
            await relays.say(f"k-{n % 30}", [str(n)])
        await relays.empty()
        assert await _count(database_url, _CLAIMED_TWICE) == 0
        said: list[int] = []
        saying = asyncio.create_task(_say_on(relays, range(300, 600), said))
        await asyncio.sleep(0.2)
        first.kill()
        killed, known_to_it = time.monotonic(), {str(n) for n in range(300, 300 + len(said) + 1)}
        await saying
        await relays.empty(seconds=50)
        failover = round(time.monotonic() - killed, 1)
        assert second.returncode is None
        found = await relays.published()
    expected = {f"k-{n}": [str(each) for each in range(n, 600, 30)] for n in range(30)}
    unordered = sum(list(dict.fromkeys(found[key])) != expected[key] for key in expected)
    times = Counter(word for key in found for word in found[key])
    repeated = {word for word, count in times.items() if count > 1}  # acknowledged, its row not yet gone
    VERDICTS.say(
        "C2",
        events=600,
        lost=600 - len(times),
        duplicates={
            "claimed_by_both": len(repeated - known_to_it) + sum(count > 2 for count in times.values()),
            "keys_out_of_order": unordered,
        },
        began=began,
        wire_duplicates=len(repeated),
        kills=1,
        failover_s=failover,
    )
    assert len(repeated) <= RELAY_BATCH


async def _say_on(relays: Relaying, numbers: range, said: list[int]) -> None:
    for n in numbers:
        await relays.say(f"k-{n % 30}", [str(n)])
        said.append(n)


@pytest.mark.slow
async def test_c3_connections_reset_during_commit(scene: Scene) -> None:
    """Through the proxy: the commit arrives, its answer does not. Nobody can know, so it is looked up again by id."""
    port = make_url(scene.fleet.database_url).port
    assert port
    async with fault_proxy("127.0.0.1", port) as proxy:
        scene.fleet.database_port = proxy.port
        await scene.fleet.start_all()
        breaking = asyncio.create_task(_keep_breaking(proxy))
        answering = asyncio.create_task(scene.ledger.answer(scene.gateway))
        for at in range(0, CONTACTS, 100):
            await scene.ledger.tell(range(at, at + 100))
            await asyncio.sleep(1)
        breaking.cancel()
        proxy.trigger = b""
        await settle(scene.fleet, scene.ledger)
        answering.cancel()
        assert proxy.triggered >= 5
        await judged("C3", scene.fleet, scene.ledger, began=scene.began, resets_during_commit=proxy.triggered)


@pytest.mark.slow
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


async def _count(url: str, sql: str) -> int:
    async with await psycopg.AsyncConnection.connect(url.replace("+psycopg", "")) as connection:
        found = await (await connection.execute(sql)).fetchone()
    assert found
    return int(found[0])
