"""Runs services until a signal: two HTTP servers each, consumer, timers, relay; stops them in order, every step with a deadline.

An unreachable broker or database never ends the process; a task that dies of a bug does, loudly, with exit code 1.
"""

import asyncio
import contextlib
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import uvicorn
from fastapi import FastAPI

from shared.runtime.broker import Broker
from shared.runtime.consumer import Consumer, Reading
from shared.runtime.database import Database
from shared.runtime.errors import AftercallError
from shared.runtime.handling import Dispatch, Handler
from shared.runtime.http import Edges, Health
from shared.runtime.measures import Measures
from shared.runtime.metrics import LoopLag
from shared.runtime.relay import Relay
from shared.runtime.sealing import Sealer
from shared.runtime.settings import ServiceSettings
from shared.runtime.timers import Timers

HEADER_BYTES = 32_768
CONNECTIONS = 1_000
log = logging.getLogger("aftercall.process")


class Runs(Protocol):
    """A task of a service: returns soon after `stop` is set, and never before."""

    async def run(self, stop: asyncio.Event) -> None: ...


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a service is, built by its `app.build`. `tasks` are further ones of its own; `closing` is called at the very end."""

    name: str
    settings: ServiceSettings
    database: Database
    broker: Broker
    public: FastAPI
    internal: FastAPI
    handlers: Mapping[str, Handler[Any]]
    timers: Mapping[str, Any]
    deps: Any
    sealer: Sealer
    measures: Measures
    tasks: Mapping[str, Runs] = field(default_factory=dict)
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    reading: Reading = field(default_factory=Reading)


class PortTaken(AftercallError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: another process has the port, or the address is not this machine's")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would raise the signal again inside our tasks."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Http:
    """One HTTP server as a task."""

    def __init__(self, app: FastAPI, *, host: str, port: int, grace_s: float) -> None:
        self._app = app
        self._socket = _listen(host, port)
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=False,
            h11_max_incomplete_event_size=HEADER_BYTES,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=max(1, int(grace_s)),
        )
        self._server = _Server(config)
        self.port: int = self._socket.getsockname()[1]

    async def run(self, stop: asyncio.Event) -> None:
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        stopped = asyncio.create_task(stop.wait())
        try:
            await asyncio.wait([serving, stopped], return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopped.cancel()
            self._app.state.stopping.set()
            self._server.should_exit = True
            await serving


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024)
    except OSError:
        raise PortTaken(host, port) from None


class Process:
    """The tasks of all services in three stages; they start last to first and stop first to last.

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
        settings, name = service.settings, service.name
        for port, app in ((settings.public_port, service.public), (settings.internal_port, service.internal)):
            http[f"{name}.http.{app.title}"] = Http(app, host=settings.host, port=port, grace_s=settings.stop_s / 2)
        leaving[f"{name}.relay"] = _relay(service)
        if service.handlers:
            acting[f"{name}.consumer"] = consumer = _consumer(service)
            _health(service).details["consumer_turned_at"] = lambda: consumer.turned_at
        acting[f"{name}.timers"] = _timers(service)
        acting[f"{name}.loop"] = LoopLag(_edges(service).registry)
        acting.update({f"{name}.{task}": runs for task, runs in service.tasks.items()})

    async def run(self, stop: asyncio.Event) -> int:
        """Serve until `stop` is set or a task ends; the exit code."""
        for number in reversed(range(len(self._stages))):
            self._start(number)
        for service in self._services:
            _health(service).stuck = self._ended
        stopped = asyncio.create_task(stop.wait())
        await asyncio.wait([stopped, *(task for stage in self._tasks for task in stage)], return_when=asyncio.FIRST_COMPLETED)
        failed = not stop.is_set()
        stopped.cancel()
        self._tell_ended()
        clean = await self._stop()
        return 1 if failed or not clean else 0

    def _start(self, number: int) -> None:
        for name, runs in self._stages[number].items():
            self._tasks[number].append(asyncio.create_task(runs.run(self._stops[number]), name=name))

    def _ended(self) -> list[str]:
        return [task.get_name() for stage in self._tasks for task in stage if task.done()]

    def _tell_ended(self) -> None:
        for task in (task for stage in self._tasks for task in stage if task.done()):
            log.critical("task ended", exc_info=None if task.cancelled() else task.exception(), extra={"task": task.get_name()})

    async def _stop(self) -> bool:
        """Not ready, then stage by stage, then close; False where a step ran out of time."""
        for service in self._services:
            _health(service).stopping = True
        clean = True
        for number, event in enumerate(self._stops):
            event.set()
            clean &= await self._stopped(self._tasks[number])
        return clean & await self._close()

    async def _stopped(self, tasks: Sequence[asyncio.Task[None]]) -> bool:
        if not tasks:
            return True
        _, late = await asyncio.wait(tasks, timeout=self._deadline)
        for task in late:
            log.error("task did not stop in time", extra={"task": task.get_name(), "seconds": self._deadline})
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=self._deadline)
        return not late

    async def _close(self) -> bool:
        brokers = {id(service.broker): service.broker for service in self._services}
        closing = [close for service in self._services for close in (*service.closing, service.database.close)]
        clean = True
        for close in [*closing, *(broker.stop for broker in brokers.values())]:
            try:
                await asyncio.wait_for(close(), self._deadline)
            except Exception as error:
                clean = False
                log.exception("closing failed", exc_info=error)
        return clean


def _consumer(service: Service) -> Consumer:
    apply = Dispatch(service.database, service.handlers, service.deps, sealer=service.sealer, measures=service.measures)
    return Consumer(
        group=f"aftercall-{service.name}",
        topics=sorted(service.handlers),
        apply=apply,
        broker=service.broker,
        database=service.database,
        sealer=service.sealer,
        measures=service.measures,
        reading=service.reading,
    )


def _relay(service: Service) -> Relay:
    return Relay(database=service.database, broker=service.broker, sealer=service.sealer, measures=service.measures)


def _timers(service: Service) -> Timers[Any]:
    return Timers(service.timers, service.database, service.deps, measures=service.measures, interval=service.settings.timer_interval)


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
        return await process.run(ending)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def run(services: Callable[[], Sequence[Service]]) -> int:
    """Build the services inside a new event loop, serve them, and give the exit code."""

    async def _serve() -> int:
        return await serve(services())

    return asyncio.run(_serve())
