"""The process: what ends it, what does not, and how it stops."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
import pytest
from prometheus_client import CollectorRegistry

from shared.runtime.memory import MemoryBroker
from shared.runtime.metrics import LoopLag
from shared.runtime.process import Runs, serve
from shared.runtime.serving import PortTaken
from tests.support.edges import ToySettings, edged
from tests.support.served import Asked, build

AWAY = "postgresql+psycopg://nobody@127.0.0.1:9/nothing"


@dataclass
class Running:
    public: httpx.AsyncClient
    internal: httpx.AsyncClient
    broker: MemoryBroker
    stop: asyncio.Event
    code: "asyncio.Task[int]"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@asynccontextmanager
async def running(
    url: str, *, tasks: Mapping[str, Runs] | None = None, at_head: Asked | None = None, **given: object
) -> AsyncIterator[Running]:
    """The toy, served in this process until the block ends."""
    settings = ToySettings.model_validate(
        {"database_url": url, "public_port": _free_port(), "internal_port": _free_port(), "pool_wait_s": 0.2, **given}
    )
    broker, stop = MemoryBroker(), asyncio.Event()
    code = asyncio.create_task(serve([build(settings, broker=broker, tasks=tasks, at_head=at_head)], stop=stop))
    async with _client(settings.public_port) as public, _client(settings.internal_port) as internal:
        try:
            yield Running(public, internal, broker, stop, code)
        finally:
            stop.set()
            await asyncio.wait_for(code, 20.0)


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=httpx.AsyncHTTPTransport(retries=5))


@pytest.fixture
async def url(database_url: str) -> str:
    async with edged(database_url):
        return database_url


async def test_a_service_serves_both_ports_and_stops_with_code_0(url: str) -> None:
    async with running(url) as toy:
        assert (await toy.public.get("/v1/stored")).json() == {"there": True}
        ready = (await toy.internal.get("/readyz")).json()
        assert ready["why"] is None
        assert "consumer_turned_s_ago" in ready
        assert "aftercall_event_loop_lag_seconds" in (await toy.internal.get("/metrics")).text
    assert toy.code.result() == 0


async def test_the_brokers_topics_of_one_process_are_its_own_to_create(url: str) -> None:
    async with running(url) as toy:
        await toy.internal.get("/livez")
        there = await toy.broker.partitions(["survey.responses", "survey.responses.dead"])
    assert set(there) == {"survey.responses", "survey.responses.dead"}


async def test_an_unreachable_database_ends_nothing(url: str) -> None:
    async with running(AWAY) as toy:
        assert (await toy.public.get("/v1/stored")).status_code == 503
        assert (await toy.internal.get("/readyz")).status_code == 503
        assert (await toy.internal.get("/livez")).json() == {"alive": True, "stuck": []}
        assert not toy.code.done()
    assert toy.code.result() == 0


class Migrations:
    """Run when the test says so."""

    def __init__(self) -> None:
        self.done, self.asked = False, asyncio.Event()

    async def at_head(self) -> bool:
        self.asked.set()
        return self.done


class Noted:
    """Tells when it was started."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        self.started.set()
        await stop.wait()


async def test_before_its_migrations_a_process_serves_but_does_not_act(url: str) -> None:
    migrations, noted = Migrations(), Noted()
    async with running(url, tasks={"noted": noted}, at_head=migrations.at_head) as toy:
        await asyncio.wait_for(migrations.asked.wait(), 10.0)
        assert "run migrate" in (await toy.internal.get("/readyz")).json()["why"]
        assert not noted.started.is_set()
        migrations.done = True
        await asyncio.wait_for(noted.started.wait(), 10.0)
    assert toy.code.result() == 0


class Bug:
    async def run(self, stop: asyncio.Event) -> None:
        raise KeyError("a bug")


class Forgetful:
    """Returns although nobody asked it to."""

    async def run(self, stop: asyncio.Event) -> None:
        return


class Deaf:
    """Never looks at `stop`."""

    def __init__(self) -> None:
        self.started = asyncio.Event()

    async def run(self, stop: asyncio.Event) -> None:
        self.started.set()
        await asyncio.Event().wait()


@pytest.mark.parametrize("task", [Bug(), Forgetful()])
async def test_a_task_that_dies_ends_the_process_loudly(url: str, task: Runs, caplog: pytest.LogCaptureFixture) -> None:
    async with running(url, tasks={"task": task}) as toy:
        assert await asyncio.wait_for(asyncio.shield(toy.code), 10.0) == 1
    assert [record.__dict__["task"] for record in caplog.records if record.msg == "task died"] == ["toy.task"]


async def test_a_task_that_does_not_stop_is_cancelled_at_the_deadline(url: str) -> None:
    deaf = Deaf()
    async with running(url, tasks={"deaf": deaf}, stop_s=0.2) as toy:
        await asyncio.wait_for(deaf.started.wait(), 10.0)
    assert toy.code.result() == 1


async def test_a_request_in_flight_is_answered_and_a_live_stream_ends_when_stopping(url: str) -> None:
    async with running(url) as toy:
        slow = asyncio.create_task(toy.public.get("/slow"))
        async with toy.public.stream("GET", "/live") as stream:
            lines = stream.aiter_lines()
            assert await anext(lines) == "begun"
            toy.stop.set()
            assert await asyncio.wait_for(anext(lines), 10.0) == "ended"
        assert (await slow).json() == {"done": True}
    assert toy.code.result() == 0


async def test_a_port_that_is_taken_is_named(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = ToySettings(database_url=url, public_port=taken.getsockname()[1], internal_port=0)
        service = build(settings, broker=MemoryBroker())
        with pytest.raises(PortTaken, match=str(settings.public_port)):
            await serve([service])
        await service.database.close()


def _process(url: str, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "AFTERCALL_DATABASE_URL": url, "TOY_BROKER": "memory", **variables}
    command = [sys.executable, "-m", "tests.support.served", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


async def test_sigterm_lets_a_request_finish_and_exits_with_0(url: str) -> None:
    process = _process(url, "run", TOY_PUBLIC_PORT="0", TOY_INTERNAL_PORT="0")
    port = await asyncio.to_thread(_public_port, process)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as client, client.stream("GET", "/live") as stream:
        lines = stream.aiter_lines()
        assert await anext(lines) == "begun"
        process.send_signal(signal.SIGTERM)
        assert await anext(lines) == "ended"
    _, logged = await asyncio.to_thread(process.communicate, timeout=20.0)
    assert process.returncode == 0, logged


def _public_port(process: "subprocess.Popen[str]") -> int:
    """From the line in which the process says where it serves."""
    assert process.stderr is not None
    said = (json.loads(line) for line in process.stderr)
    return next(int(line["port"]) for line in said if line["event"] == "serving" and line["task"] == "public")


async def test_the_commands_print_a_link_and_a_key_that_work(url: str) -> None:
    link = await asyncio.to_thread(_process(url, "login-link", "--role", "guide", "--team", "elm").communicate)
    assert link[0].startswith("http://127.0.0.1:8000/sign-in?link=")
    refused = _process(url, "login-link", "--role", "king")
    assert "There is no role king" in (await asyncio.to_thread(refused.communicate))[1]
    assert refused.returncode == 2


def test_the_worst_delay_of_the_loop_is_remembered() -> None:
    registry = CollectorRegistry()
    lag = LoopLag(registry)
    for seconds in (0.1, 20.0, 0.2):
        lag.saw(seconds)
    assert registry.get_sample_value("aftercall_event_loop_lag_seconds") == 0.2
    assert registry.get_sample_value("aftercall_event_loop_lag_max_seconds") == 20.0
