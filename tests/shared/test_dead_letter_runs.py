"""Many dead letters at once: summed up by cause, taken up as a run that outlives its process, over HTTP, pages and real PostgreSQL."""

from collections.abc import AsyncIterator
from html import unescape
from uuid import UUID

import httpx
import pytest
from prometheus_client import CollectorRegistry

from shared.runtime import http
from shared.runtime.access import COOKIE
from shared.runtime.cap import Limits
from shared.runtime.clearing import Clearing, Replays
from shared.runtime.database import rows, run
from shared.runtime.memory import MemoryBroker
from shared.runtime.reading import Reading
from shared.runtime.rights import ALL_TEAMS, Principal
from shared.runtime.sealing import Sealer
from shared.runtime.settings import ServiceSettings
from shared.topics import DEAD_TOPICS, TOPICS
from tests.support.toy import INPUT, Deps, Toy, answer, create_tables, wire

ADMIN = Principal("person", "admin-1", "An admin", frozenset({"admin"}), ALL_TEAMS)
GUIDE = Principal("person", "guide-1", "A guide", frozenset({"guide"}), ALL_TEAMS)
POISONED = 25
POISON = {"topic": INPUT, "reason": "failed:KeyError"}


class Desk:
    """An admin at the internal port of a toy, and the task that does the runs, a step at a time."""

    def __init__(self, toy: Toy) -> None:
        self.toy = toy
        edges = http.edges(ServiceSettings(), toy.database, registry=CollectorRegistry(), package=None)
        app = http.create_internal(edges)
        app.state.replays = replays = Replays(toy.database, toy.sealer, {INPUT: toy.dispatch})
        self.clearing = Clearing(replays, interval=0.1)
        transport = httpx.ASGITransport(app)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://internal", headers={"origin": "http://internal"})
        self.client.cookies.set(COOKIE, edges.access.session(ADMIN))
        self.guide = edges.access.session(GUIDE)

    async def clear(self) -> int:
        """Every run to its end; how many steps it took."""
        steps = 0
        while await self.clearing.once():
            steps += 1
        return steps

    async def audited(self) -> list[str]:
        async with self.toy.database.transaction() as unit:
            return [each["what"] for each in await rows(unit.tx, "select what from audit order by id")]

    async def page(self, path: str) -> str:
        found = await self.client.get(path, headers={"accept": "text/html"})
        assert found.status_code == 200
        return unescape(found.text)


@pytest.fixture
async def desk(database_url: str) -> AsyncIterator[Desk]:
    """More answers than a step takes no handler could take, and two of another cause."""
    await create_tables(database_url)
    broker = MemoryBroker()
    await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
    poisoned, uncapped = {f"a-{number}" for number in range(POISONED)}, Reading(limits=Limits(in_a_row=1_000, share=1.0))
    toy = Toy(database_url, broker, deps=Deps(poisoned=poisoned), reading=uncapped)
    async with toy.running():
        await broker.publish([answer(number) for number in range(POISONED)])
        await broker.publish([wire(b'{"answer_id": "x", "channel": "sms", "token": "t", "score": %d}' % score) for score in (11, 12)])
        await toy.until("select count(*) from dead_letter", POISONED + 2)
        made = Desk(toy)
        async with made.client:
            yield made


async def test_what_waits_is_summed_up_by_cause_the_largest_first(desk: Desk) -> None:
    causes = (await desk.client.get("/v1/dead-letters/causes")).json()["causes"]
    assert [(each["reason"], each["path"], each["letters"]) for each in causes] == [
        ("failed:KeyError", None, POISONED),
        ("less_than_equal", "score", 2),
    ]


async def test_a_run_replays_all_of_a_cause_and_a_second_press_shows_the_first(desk: Desk) -> None:
    desk.toy.deps.poisoned = {"a-3"}
    first, second = [(await desk.client.post("/v1/dead-letters/runs", json={"action": "replay", **POISON})).json() for _ in range(2)]
    assert first["id"] == second["id"]
    assert (first["total"], first["finished"]) == (POISONED, None)
    assert await desk.clear() > 1
    over = (await desk.client.get(f"/v1/dead-letters/runs/{first['id']}")).json()
    assert (over["taken"], over["left_waiting"], over["finished"] is None) == (POISONED - 1, 1, False)
    assert await desk.toy.effects() == {f"a-{number}": 1 for number in range(POISONED) if number != 3}
    assert await desk.audited() == ["dead-letters.replay"]


async def test_a_run_goes_on_where_a_killed_process_left_it(desk: Desk) -> None:
    desk.toy.deps.poisoned.clear()
    begun = (await desk.client.post("/v1/dead-letters/runs", json={"action": "replay", **POISON})).json()
    await desk.clearing.once()
    half = (await desk.client.get(f"/v1/dead-letters/runs/{begun['id']}")).json()
    assert 0 < half["taken"] < POISONED
    successor = Desk(desk.toy)
    await successor.clear()
    assert (await successor.client.get(f"/v1/dead-letters/runs/{begun['id']}")).json()["taken"] == POISONED
    assert set((await desk.toy.effects()).values()) == {1}
    await successor.client.aclose()


async def test_a_letter_whose_key_is_gone_keeps_waiting_says_so_and_stops_no_run(desk: Desk) -> None:
    desk.toy.deps.poisoned.clear()
    begun = (await desk.client.post("/v1/dead-letters/runs", json={"action": "replay", **POISON})).json()
    other = Sealer("next:ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA=", "a pepper that is long enough for a toy")
    sealed = {"body": other.seal_bytes(b"{}"), "reason": POISON["reason"]}
    async with desk.toy.database.transaction() as unit:
        oldest = "select id from dead_letter where reason = :reason order by id limit 1"
        await run(unit.tx, f"update dead_letter set body = :body where id = ({oldest})", **sealed)
        (letter,) = await rows(unit.tx, "select id from dead_letter where body = :body", body=sealed["body"])

    await desk.clear()

    over = (await desk.client.get(f"/v1/dead-letters/runs/{begun['id']}")).json()
    look = (await desk.client.get(f"/v1/dead-letters/{letter['id']}")).json()
    again = (await desk.client.post(f"/v1/dead-letters/{letter['id']}/replay", json={})).json()
    mended = {"body": (answer(99).value or b"").decode()}
    assert (over["taken"], over["left_waiting"]) == (POISONED - 1, 1)
    assert (look["state"], look["size"]) == ("waiting", 0)
    assert "AFTERCALL_SEAL_KEYS" in look["body"]
    assert again == {"taken": False, "reason": "sealing_key_missing"}
    assert "AFTERCALL_SEAL_KEYS" in await desk.page(f"/dead-letters/{letter['id']}")
    assert (await desk.client.post(f"/v1/dead-letters/{letter['id']}/replay", json=mended)).json()["taken"]


async def test_chosen_ones_are_discarded_with_their_reason_and_the_rest_waits(desk: Desk) -> None:
    letters = [each["id"] for each in (await desk.client.get("/v1/dead-letters")).json()["items"] if each["path"] == "score"]
    order = {"action": "discard", "topic": INPUT, "reason": "less_than_equal", "path": "score", "letters": letters[:1]}
    unexplained = await desk.client.post("/v1/dead-letters/runs", json=order)
    assert (unexplained.status_code, unexplained.json()["errors"]) == (422, [{"path": "note", "reason": "missing"}])
    assert (await desk.client.post("/v1/dead-letters/runs", json={**order, "note": "a test of the bridge"})).json()["total"] == 1
    await desk.clear()
    assert await desk.toy.count("select count(*) from dead_letter where state = 'discarded'") == 1
    assert await desk.toy.count("select count(*) from dead_letter where state = 'waiting'") == POISONED + 1


async def test_a_message_that_comes_while_a_run_is_under_way_is_not_part_of_it(desk: Desk) -> None:
    await desk.client.post("/v1/dead-letters/runs", json={"action": "discard", "note": "old bridge", **POISON})
    desk.toy.deps.poisoned.add("late")
    await desk.toy.broker.publish([answer(0, name="late")])
    await desk.toy.until("select count(*) from dead_letter", POISONED + 3)
    await desk.clear()
    assert await desk.toy.count("select count(*) from dead_letter where state = 'waiting' and reason = 'failed:KeyError'") == 1


async def test_the_page_says_first_whether_it_is_one_cause_or_many(desk: Desk) -> None:
    words = " ".join((await desk.page("/dead-letters")).split())
    assert f"<h1>{POISONED + 2} waiting</h1>" in words
    assert f"{POISONED} of them one cause since" in words


async def test_the_forms_ask_once_and_show_the_run(desk: Desk) -> None:
    desk.toy.deps.poisoned.clear()
    asked = await desk.client.post("/dead-letters/ask", data={"action": "replay", **POISON})
    assert f"Replay {POISONED}?" in asked.text
    assert await desk.clear() == 0
    begun = await desk.client.post("/dead-letters/runs", data={"action": "replay", **POISON})
    assert begun.status_code == 303
    await desk.clear()
    assert f"Replayed {POISONED} of {POISONED}" in await desk.page(begun.headers["location"])
    assert f"{POISONED} of {POISONED}" in await desk.page("/dead-letters")


async def test_a_discard_without_a_reason_is_asked_for_it_and_does_nothing(desk: Desk) -> None:
    refused = await desk.client.post("/dead-letters/runs", data={"action": "discard", **POISON, "note": " x "})
    assert refused.status_code == 422
    assert "Say in a few words why" in refused.text
    assert await desk.clear() == 0


async def test_one_message_shows_names_and_types_and_is_mended_on_its_page(desk: Desk) -> None:
    bad = b'{"answer_id": "a-99", "channel": "sms", "token": "secret words", "score": "ten", "+15550109999": 1}'
    await desk.toy.broker.publish([wire(bad)])
    await desk.toy.until("select count(*) from dead_letter where path = 'score' and reason = 'int_type'", 1)
    async with desk.toy.database.transaction() as unit:
        letter: UUID = (await rows(unit.tx, "select id from dead_letter where reason = 'int_type'"))[0]["id"]
    shown = await desk.page(f"/dead-letters/{letter}")
    assert "answer_id" in shown
    assert "secret words" not in shown
    assert "5550109999" not in shown
    mended = '{"answer_id": "a-99", "channel": "sms", "token": "t", "score": 10}'
    assert "It took effect" in (await desk.client.post(f"/dead-letters/{letter}/replay", data={"body": mended})).text
    assert (await desk.toy.effects())["a-99"] == 1


async def test_nobody_but_an_admin_finds_the_page(desk: Desk) -> None:
    desk.client.cookies.clear()
    desk.client.cookies.set(COOKIE, desk.guide)
    assert (await desk.client.get("/dead-letters", headers={"accept": "text/html"})).status_code == 404
    assert (await desk.client.post("/v1/dead-letters/runs", json={"action": "replay", **POISON})).status_code == 403
