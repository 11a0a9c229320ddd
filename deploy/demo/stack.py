"""Everything the demo runs, started and ended as one: PostgreSQL, the broker, the three services."""

import asyncio
import importlib
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import httpx

from deploy.demo.settings import SERVICES, Place, Ports, environment, write_files
from deploy.kafka.broker import kafka
from deploy.postgres.embedded import postgres
from deploy.postgres.roles import as_role, make_roles, owner
from shared.runtime.broker import Broker
from shared.runtime.kafka import KafkaBroker
from shared.runtime.memory import MemoryBroker
from shared.runtime.migrations import upgrade
from shared.runtime.process import Service, serve
from shared.runtime.settings import load
from shared.topics import DEAD_TOPICS, TOPICS

READY_WITHIN_S = 60.0


class ServicesEnded(RuntimeError):
    def __init__(self) -> None:
        super().__init__("A service ended by itself; what it logged stands above.")


@dataclass(frozen=True, slots=True)
class Stack:
    """A running product. `broker` is a door to the topics, for what platforms and outsiders write; `ended` is done when a service ends."""

    place: Place
    broker: Broker
    ended: "asyncio.Task[None]"

    @property
    def ports(self) -> Ports:
        return self.place.ports

    @property
    def database_url(self) -> str:
        return self.place.database_url


@asynccontextmanager
async def running(broker: str) -> AsyncIterator[Stack]:
    """`broker`: memory (all in this process, nothing durable) or kafka (a real one, a process per service). Serves when it yields."""
    async with AsyncExitStack() as parts:
        database = parts.enter_context(postgres())
        bootstrap = parts.enter_context(kafka()).bootstrap if broker == "kafka" else ""
        place = Place(database.url(), broker, database.guarded.directory, kafka_bootstrap=bootstrap)
        write_files(place.folder)  # beside the data, so that they go with it
        await asyncio.to_thread(_migrate, place.database_url)
        door: Broker = KafkaBroker(bootstrap) if bootstrap else MemoryBroker()
        await door.start()
        parts.push_async_callback(door.stop)
        await door.create([*TOPICS.values(), *DEAD_TOPICS.values()])
        parts.enter_context(_set(environment(place)))
        ended = await parts.enter_async_context(_processes() if bootstrap else _one_process(door))
        await first_of(asyncio.create_task(_ready(place.ports)), ended)
        if ended.done():
            raise ServicesEnded
        yield Stack(place, door, ended)


@contextmanager
def _set(variables: Mapping[str, str]) -> Iterator[None]:
    """The environment of this process and its children; afterwards it is as it was."""
    before = dict(os.environ)
    os.environ.update(variables)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _migrate(url: str) -> None:
    """As a deployment does: each schema by its owner, who grants to the service."""
    make_roles(url)
    for service in SERVICES:
        upgrade(as_role(url, owner(service)), service, role=service)


async def first_of(*tasks: "asyncio.Task[None]") -> None:
    """Wait until one of them is done; what it raised, rises."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        task.result()


@asynccontextmanager
async def _one_process(broker: Broker) -> AsyncIterator["asyncio.Task[None]"]:
    stop = asyncio.Event()

    async def served() -> None:
        await serve([_built(name, broker) for name in SERVICES], stop=stop)

    serving = asyncio.create_task(served())
    try:
        yield serving
    finally:
        stop.set()
        await serving


def _built(name: str, broker: Broker) -> Service:
    settings = load(importlib.import_module(f"{name}.settings").Settings)
    service: Service = importlib.import_module(f"{name}.app").build(settings, broker=broker)
    return service


@asynccontextmanager
async def _processes() -> AsyncIterator["asyncio.Task[None]"]:
    """Each service as a deployment starts it, out of reach of the terminal's Ctrl-C: they end with SIGTERM, when their readers have."""
    # Should this process be killed, the kernel ends them.
    tied = ["setpriv", "--pdeathsig", "TERM"] if shutil.which("setpriv") else []
    commands = [[*tied, sys.executable, "-m", name, "run"] for name in SERVICES]
    started = [await asyncio.create_subprocess_exec(*command, start_new_session=True) for command in commands]
    ends = [asyncio.create_task(process.wait()) for process in started]

    async def one_ended() -> None:
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)

    watching = asyncio.create_task(one_ended())
    try:
        yield watching
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                process.terminate()
        await asyncio.wait(ends)
        await watching


async def _ready(ports: Ports) -> None:
    async with httpx.AsyncClient(timeout=5) as client, asyncio.timeout(READY_WITHIN_S):
        for service in SERVICES:
            while not await _answers(client, f"{ports.internal_url(service)}/readyz"):
                await asyncio.sleep(0.05)


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.TransportError:
        return False
