"""A gateway, and a receiver of alerts, that keep the promise of real ones. What it delivered is the truth of who was asked how often."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

_OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%s"


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as a service handed it over."""

    key: str
    to: str
    body: str


@dataclass
class FakeGateway:
    """`keeps_keys`: a second message under a key is acknowledged and not delivered again, as such gateways promise.

    `received` is every message handed over; `delivered` is what reached customers; `alerts` is what teams were told.
    """

    keeps_keys: bool = True
    port: int = 0
    received: list[Sent] = field(default_factory=list)
    delivered: list[Sent] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    _keys: set[str] = field(default_factory=set)

    def asked(self) -> Counter[str]:
        """How often each address was asked."""
        return Counter(each.to for each in self.delivered)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            headers = dict(_header(line) for line in head.split("\r\n")[1:] if ":" in line)
            said = json.loads(await reader.readexactly(int(headers.get("content-length", "0"))))
            answer = self._alert(said) if " /alerts" in head.split("\r\n", maxsplit=1)[0] else self._take(headers["idempotency-key"], said)
            writer.write(_OK % (len(answer), answer))
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return  # who asked went away: what was taken stays taken
        finally:
            writer.close()

    def _take(self, key: str, said: dict[str, Any]) -> bytes:
        sent = Sent(key, said["to"], said["body"])
        self.received.append(sent)
        if not (self.keeps_keys and key in self._keys):
            self.delivered.append(sent)
        self._keys.add(key)
        return json.dumps({"id": f"gw-{key}"}).encode()

    def _alert(self, said: dict[str, Any]) -> bytes:
        self.alerts.append(said)
        return b"{}"


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip().lower(), value.strip()


@asynccontextmanager
async def fake_gateway(*, keeps_keys: bool = True) -> AsyncIterator[FakeGateway]:
    """A server for this test alone."""
    gateway = FakeGateway(keeps_keys)
    server = await asyncio.start_server(gateway.serve, "127.0.0.1", 0, backlog=1000)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        server.close()
