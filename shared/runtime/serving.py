"""One uvicorn server as a task that stops when it is told, whatever the signals do."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.runtime.errors import AftercallError

HEADER_BYTES = 32_768
CONNECTIONS = 1_000


class PortTaken(AftercallError):
    def __init__(self, host: str, port: int) -> None:
        super().__init__(f"Cannot listen on {host}:{port}: another process has the port, or the address is not this machine's")


class _Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would raise the signal again inside our tasks."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class Impatient(H11Protocol):
    """A connection that is closed when a request's head takes longer than `HEADER_S`; uvicorn itself would wait for ever."""

    HEADER_S = 10.0
    _closing: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._wait_for_head()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # it is None before the first request
            self._wait_for_head()
        else:
            self._stop_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait_for_head(self) -> None:
        if self._closing is None:
            self._closing = self.loop.call_later(self.HEADER_S, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None


class Http:
    """One HTTP server as a task."""

    def __init__(self, app: FastAPI, *, host: str, port: int, grace_s: float, protocol: type[Impatient] = Impatient) -> None:
        self._app = app
        self._socket = _listen(host, port)
        config = uvicorn.Config(
            app,
            http=protocol,
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
    """asyncio turns Nagle's algorithm off only for sockets that name TCP, which these do not: 40 ms an answer on kept connections."""
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=1024)
    except OSError:
        raise PortTaken(host, port) from None
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # the accepted ones inherit it
    return listening
