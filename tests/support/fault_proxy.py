"""A TCP proxy on loopback that makes the network bad on command: between a service and its broker, its database or a gateway."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

CHUNK = 65_536
HEARD_S = 0.05
"""How long the other side has to act on what it was told before the connection is reset."""
Pair = tuple[asyncio.StreamWriter, asyncio.StreamWriter]
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class FaultProxy:
    """`latency_s` delays every chunk, `bytes_per_s` (0: no limit) slows it. `connections` counts what was ever accepted.

    A black hole keeps connections open and swallows what both sides say, as a firewall that forgot them does. `trigger` is a sequence
    of bytes: the first time a client says it, it still gets through, and then the connection is reset, so that its answer is lost.
    """

    target: tuple[str, int]
    port: int = 0
    latency_s: float = 0.0
    bytes_per_s: float = 0.0
    trigger: bytes = b""
    triggered: int = 0
    connections: int = 0
    _swallowing: bool = False
    _refusing: bool = False
    _mute: set[Pair] = field(default_factory=set)
    _pairs: set[Pair] = field(default_factory=set)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    def black_hole(self) -> None:
        self._swallowing = True

    def cut(self) -> None:
        """Nobody gets through: what is open is reset, what comes is reset at once."""
        self._refusing = True
        self.reset()

    def reset(self) -> None:
        """Every open connection ends with RST; new ones are welcome."""
        for pair in list(self._pairs):
            self._reset(pair)

    def mend(self) -> None:
        """A good network again. What vanished in the black hole stays lost, so those connections are of no use and are reset."""
        self.latency_s = self.bytes_per_s = 0.0
        self._refusing = False
        if self._swallowing:
            self._swallowing = False
            self.reset()

    def _reset(self, pair: Pair) -> None:
        self._pairs.discard(pair)
        self._mute.discard(pair)
        for writer in pair:
            _abort(writer)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        if self._refusing:
            _abort(writer)
            return
        try:
            there_reader, there_writer = await asyncio.open_connection(*self.target)
        except OSError:
            _abort(writer)
            return
        pair = (writer, there_writer)
        self._pairs.add(pair)
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await asyncio.gather(
                self._carry(reader, there_writer, pair, asking=True), self._carry(there_reader, writer, pair, asking=False)
            )
        finally:
            self._tasks.discard(task)
            self._pairs.discard(pair)
            for each in pair:
                each.close()

    async def _carry(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        pair: Pair,
        *,
        asking: bool,
    ) -> None:
        with contextlib.suppress(ConnectionError, OSError):
            while chunk := await reader.read(CHUNK):
                await self._delay(len(chunk))
                if self._swallowing or (pair in self._mute and not asking):
                    continue
                writer.write(chunk)
                await writer.drain()
                if asking and self.trigger and self.trigger in chunk:
                    self.trigger, self.triggered = b"", self.triggered + 1
                    self._mute.add(pair)
                    await asyncio.sleep(HEARD_S)
                    self._reset(pair)
            writer.close()

    async def _delay(self, size: int) -> None:
        seconds = self.latency_s + (size / self.bytes_per_s if self.bytes_per_s else 0.0)
        if seconds:
            await asyncio.sleep(seconds)

    async def end(self) -> None:
        self.reset()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def _abort(writer: asyncio.StreamWriter) -> None:
    raw: socket.socket | None = writer.get_extra_info("socket")
    if raw is not None and raw.fileno() >= 0:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    writer.transport.abort()


@asynccontextmanager
async def fault_proxy(host: str, port: int, *, listen: int = 0) -> AsyncIterator[FaultProxy]:
    """In front of `host:port`, for this test alone; on port `listen`, or a free one."""
    proxy = FaultProxy((host, port))
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", listen)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        await proxy.end()
