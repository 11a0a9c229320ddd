"""Runs services until a signal: two HTTP servers each, consumer, timers, relay; stops them in order, every step with a deadline.

An unreachable broker or database never ends the process; a task that dies of a bug does, loudly, with exit code 1.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from fastapi import FastAPI

from shared.runtime import collector
from shared.runtime.applying import Apply
from shared.runtime.broker import Broker
from shared.runtime.clearing import Clearing, Replays
from shared.runtime.consumer import Consumer
from shared.runtime.database import Database
from shared.runtime.handling import Dispatch, Handler
from shared.runtime.http import Edges, Health, unready
from shared.runtime.measures import Measures
from shared.runtime.memory import MemoryBroker
from shared.runtime.metrics import LoopLag
from shared.runtime.reading import Reading
from shared.runtime.relay import Relay
from shared.runtime.sealing import Sealer
from shared.runtime.serving import Http
from shared.runtime.settings import ServiceSettings
from shared.runtime.timers import Timers
from shared.topics import DEAD_TOPICS, TOPICS

ACTING, HTTP, LEAVING = range(3)
LOOK_AGAIN_S = 1.0
log = logging.getLogger("aftercall.process")


class Runs(Protocol):
    """A task of a service: returns soon after `stop` is set, and never before."""

    async def run(self, stop: asyncio.Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a service is, built by its `app.build`.

    `tasks` are further ones of its own, `applies` what they store records of other topics with; `closing` is called at the very end.
    """

    name: str
    settings: ServiceSettings
    database: Database
    broker: Broker
    public: FastAPI
    internal: FastAPI
    handlers: Mapping[str, Handler[Any]]
    timers: Mapping[str, Any]
    deps: Any
    sealer: Sealer | None = None
    measures: Measures | None = None
    tasks: Mapping[str, Runs] = field(default_factory=dict)
    applies: Mapping[str, Apply] = field(default_factory=dict)
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    reading: Reading = field(default_factory=Reading)


class Process:
    """The tasks of all services in three stages, which stop one after the other.

    What reads and acts stops first, then HTTP, then the relay, so that what was committed can still leave.
    """

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = services
        self._deadline = max(service.settings.stop_s for service in services)
        self._stages: list[dict[str, Runs]] = [{}, {}, {}]
        for service in services:
            self._add(service)
        self._stops = [asyncio.Event() for _ in self._stages]
        self._tasks: list[list[asyncio.Task[None]]] = [[] for _ in self._stages]

    def _add(self, service: Service) -> None:
        acting, http, leaving = self._stages
        name, database, deps = service.name, service.database, service.deps
        edges, health = _edges(service), _health(service)
        sealer = service.sealer or Sealer(service.settings.seal_keys, service.settings.pepper)
        measures = service.measures or Measures(edges.registry)
        applies = dict(service.applies)
        if service.handlers:
            dispatch = Dispatch(database, service.handlers, deps, sealer=sealer, measures=measures)
            applies |= dict.fromkeys(service.handlers, dispatch)
            acting[f"{name}.consumer"] = consumer = Consumer(
                group=f"aftercall-{name}",
                topics=sorted(service.handlers),
                apply=dispatch,
                broker=service.broker,
                database=database,
                sealer=sealer,
                measures=measures,
                reading=service.reading,
            )
            health.details["consumer_turned_s_ago"] = lambda: _since(consumer.turned_at)
        service.internal.state.replays = replays = Replays(database, sealer, applies)
        acting[f"{name}.clearing"] = Clearing(replays, interval=service.settings.timer_interval)
        if service.timers:
            acting[f"{name}.timers"] = Timers(service.timers, database, deps, measures=measures, interval=service.settings.timer_interval)
        acting[f"{name}.loop"] = LoopLag(edges.registry)
        acting |= {f"{name}.{task}": runs for task, runs in service.tasks.items()}
        for port, server in _servers(service).items():
            http[f"{name}.{port}"] = server
            log.info("serving", extra={"service": name, "task": port, "host": service.settings.host, "port": server.port})
        leaving[f"{name}.relay"] = Relay(database=database, broker=service.broker, sealer=sealer, measures=measures)

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until `stop` is set or a task ends; 0 where every task and every step ended as it should."""
        for service in self._services:
            _health(service).stuck = self._ended
        self._start(HTTP)
        await self._until_ready(stop)
        if not stop.is_set():
            self._start(LEAVING)
            self._start(ACTING)
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, *self._all()], return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        early = self._ended()
        if early:
            log.critical("ending: a task ended that nobody asked to", extra={"task": ", ".join(early)})
        for service in self._services:
            _health(service).stopping = True
        in_time = [await self._stopped(number) for number in range(len(self._stages))]
        closed = await self._close()
        return 0 if self._all_well(early) and all(in_time) and closed else 1

    async def _until_ready(self, stop: asyncio.Event) -> None:
        """What reads and acts waits for the database and for every migration; HTTP is served meanwhile."""
        for service in self._services:
            while not (stop.is_set() or self._ended()) and (why := await unready(service.internal)):
                log.warning("not reading yet", extra={"service": service.name, "reason": why})
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stop.wait(), LOOK_AGAIN_S)

    def _start(self, number: int) -> None:
        for name, runs in self._stages[number].items():
            self._tasks[number].append(asyncio.create_task(runs.run(self._stops[number]), name=name))

    def _all(self) -> list[asyncio.Task[None]]:
        return [task for stage in self._tasks for task in stage]

    def _ended(self) -> list[str]:
        return [task.get_name() for task in self._all() if task.done()]

    def _all_well(self, early: Sequence[str]) -> bool:
        """Says which tasks died, or ended although nobody asked."""
        died = [task for task in self._all() if task.cancelled() or task.exception() or task.get_name() in early]
        for task in died:
            log.critical("task died", exc_info=None if task.cancelled() else task.exception(), extra={"task": task.get_name()})
        return not died

    async def _stopped(self, number: int) -> bool:
        """One stage stopped; False where some of it had to be cancelled."""
        self._stops[number].set()
        tasks = self._tasks[number]
        late = (await asyncio.wait(tasks, timeout=self._deadline))[1] if tasks else set()
        for task in late:
            log.error("task did not stop in time", extra={"task": task.get_name(), "seconds": self._deadline})
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=self._deadline)
        return not late

    async def _close(self) -> bool:
        brokers = {id(service.broker): service.broker.stop for service in self._services}
        own = [close for service in self._services for close in (*service.closing, service.database.close)]
        closed = [await self._closed(close) for close in (*own, *brokers.values())]
        return all(closed)

    async def _closed(self, close: Callable[[], Awaitable[None]]) -> bool:
        try:
            await asyncio.wait_for(close(), self._deadline)
        except Exception as error:  # told, and the rest is still closed
            log.exception("closing failed", exc_info=error)
            return False
        return True


def _since(at: float) -> float | None:
    """Seconds since a moment of the loop's clock; None for what never was."""
    return round(asyncio.get_running_loop().time() - at, 1) if at else None


def _servers(service: Service) -> dict[str, Http]:
    settings = service.settings
    ports = {"public": (settings.public_port, service.public), "internal": (settings.internal_port, service.internal)}
    return {name: Http(app, host=settings.host, port=port, grace_s=settings.stop_s / 2) for name, (port, app) in ports.items()}


def _edges(service: Service) -> Edges:
    edges: Edges = service.internal.state.edges
    return edges


def _health(service: Service) -> Health:
    health: Health = service.internal.state.health
    return health


async def serve(services: Sequence[Service], *, stop: asyncio.Event | None = None) -> int:
    """As `run`, inside a running loop; `stop` (and SIGTERM, SIGINT) ends it."""
    ending = stop or asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ending.set)
    try:
        process = Process(services)
        for broker in {id(service.broker): service.broker for service in services}.values():
            await broker.start()
            if isinstance(broker, MemoryBroker):  # nobody but this process could create its topics
                await broker.create([*TOPICS.values(), *DEAD_TOPICS.values()])
        return await process.run(ending)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def run(services: Callable[[], Sequence[Service]]) -> int:
    """Build the services inside a new event loop, serve them, and give the exit code."""

    async def _serve() -> int:
        built = services()
        collector.spare()
        return await serve(built)

    return asyncio.run(_serve())
