"""A bare TCP server on loopback that answers HTTP as badly as a test wants."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Wire:
    """`received` is what arrived, one entry a connection; `host` is `127.0.0.1:port`."""

    script: Script
    host: str = ""
    received: list[bytes] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{self.host}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")), 0)
        self.received.append(head + await reader.readexactly(length))
        try:
            await self.script(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def wire(script: Script) -> AsyncIterator[Wire]:
    """A server for this test alone."""
    made = Wire(script)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()


def answers(*chunks: bytes, pause: float = 0.0) -> Script:
    """Write these bytes, `pause` seconds apart, and close."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
            await asyncio.sleep(pause)

    return script
