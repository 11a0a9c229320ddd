"""Live updates: what each open console is told, what it missed, and what happens to one that does not read."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from starlette.types import Message

from routing.console.live import PENDING, TOPIC, Change, Live
from shared.runtime.access import COOKIE
from shared.runtime.broker import Outgoing, Record
from shared.runtime.memory import MemoryBroker
from shared.topics import TOPICS
from tests.support.cases import Routing, routing
from tests.support.console import session

BIRCH, CEDAR = frozenset({"birch"}), frozenset({"cedar"})


def change(team: str = "birch") -> Change:
    return Change(uuid4(), 1, team)


def told(live: Live, teams: frozenset[str] | None, *, last_id: str | None) -> list[Change | None]:
    with live.connected(teams, last_id=last_id) as client:
        return [client.waiting.get_nowait().change for _ in range(client.waiting.qsize())]


async def test_a_console_hears_of_its_own_teams_and_an_admins_of_all() -> None:
    live = Live(MemoryBroker(), clients=9)
    with live.connected(BIRCH, last_id=live._id()) as birch, live.connected(None, last_id=live._id()) as everything:
        live.tell(change("birch"))
        live.tell(change("cedar"))

    assert (birch.waiting.qsize(), everything.waiting.qsize()) == (1, 2)


async def test_who_comes_back_hears_what_was_missed_and_a_stranger_loads_anew() -> None:
    live = Live(MemoryBroker(), clients=9)
    live.tell(change())
    last = live._id()
    missed = [change(), change("cedar")]
    for each in missed:
        live.tell(each)

    assert told(live, None, last_id=last) == missed
    assert told(live, BIRCH, last_id=last) == missed[:1]
    assert told(live, None, last_id=None) == [None]
    assert told(live, None, last_id="another-replica-7") == [None]


async def test_a_console_that_does_not_read_is_told_once_to_load_anew() -> None:
    live = Live(MemoryBroker(), clients=9)
    with live.connected(BIRCH, last_id=live._id()) as slow:
        for _ in range(PENDING + 1):
            live.tell(change())
        assert [slow.waiting.get_nowait().change for _ in range(slow.waiting.qsize())] == [None]


async def test_the_tail_tells_what_the_topic_says_and_an_unreadable_record_as_load_anew() -> None:
    live = Live(MemoryBroker(), clients=9)
    with live.connected(None, last_id=live._id()) as client:
        live.hear(Record(TOPIC, 0, 1, None, b"{}", (), datetime.now(UTC)))
        live.hear(Record(TOPIC, 0, 2, None, None, (), datetime.now(UTC)))

    assert client.waiting.qsize() == 1
    assert client.waiting.get_nowait().change is None


async def test_the_task_ends_when_told() -> None:
    stop = asyncio.Event()
    live = Live(MemoryBroker(), clients=9)
    running = asyncio.create_task(live.run(stop))
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(2):
        await running


@dataclass
class Stream:
    """An open connection to the stream, as the server sees it."""

    status: int = 0
    lines: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message.get("body"):
            await self.lines.put(message["body"].decode())

    async def until(self, word: str) -> str:
        async with asyncio.timeout(5):
            while word not in (line := await self.lines.get()):
                pass
            return line


@pytest.fixture
async def live_desk(routing_database: str) -> AsyncIterator[Routing]:
    made = routing(routing_database, live_beat_s=0.05, live_clients=1)
    yield made
    await made.deps.database.close()


@asynccontextmanager
async def connected(desk: Routing, *roles: str, teams: frozenset[str] = BIRCH) -> AsyncIterator[tuple[Stream, "asyncio.Task[None]"]]:
    stream, gone = Stream(), asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    cookie = f"{COOKIE}={session(desk, *roles, teams=teams)}"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/console/live",
        "raw_path": b"/console/live",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"a"), (b"accept", b"text/event-stream"), (b"cookie", cookie.encode())],
        "client": ("127.0.0.1", 1),
        "server": ("a", 80),
    }
    running = asyncio.create_task(desk.service.public(scope, receive, stream.send))
    try:
        yield stream, running
    finally:
        gone.set()
        async with asyncio.timeout(5):
            await running


async def test_a_stream_beats_says_what_changed_and_ends_with_the_process(live_desk: Routing) -> None:
    live: Live = live_desk.service.public.state.live
    async with connected(live_desk, "guide") as (stream, running):
        await stream.until("event: beat")
        seen = change()
        live.tell(change("cedar"))
        live.tell(seen)
        assert str(seen.case_id) in await stream.until("event: case")

        live_desk.service.public.state.stopping.set()
        async with asyncio.timeout(2):
            await running
    assert stream.status == 200
    assert not live.full


async def test_one_console_too_many_is_told_so_and_an_analyst_hears_nothing(live_desk: Routing) -> None:
    async with connected(live_desk, "guide") as (first, _):
        await first.until("event: beat")
        async with connected(live_desk, "guide") as (second, running):
            await running
        async with connected(live_desk, "analyst") as (third, running):
            await running

    assert (first.status, second.status, third.status) == (200, 503, 403)


async def test_a_case_on_the_topic_reaches_the_stream(live_desk: Routing) -> None:
    broker = live_desk.service.broker
    await broker.create(list(TOPICS.values()))
    live: Live = live_desk.service.public.state.live
    stop = asyncio.Event()
    following = asyncio.create_task(live.run(stop))
    async with connected(live_desk, "admin") as (stream, _):
        await stream.until("event: reload")
        await broker.publish([Outgoing(TOPIC, b"k", b"{}", ())])
        await stream.until("event: reload")
    stop.set()
    await following
