"""Calls to outside services, guarded: the address is checked when it is connected to, nothing is followed, and all is bounded.

The outcome is one of four: a `Reply`, `Refused` (not allowed), `Failed` (surely not delivered), `Unknown` (maybe delivered).
"""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpcore

from shared.runtime.errors import AftercallError
from shared.runtime.metrics import OutboundMetrics
from shared.runtime.webhooks import WebhookSecretInvalid, signed

__all__ = ["Failed", "NoReply", "Outbound", "Refused", "Reply", "Unknown", "WebhookSecretInvalid", "signed"]

Resolve = Callable[[str, int], Awaitable[list[str]]]
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class NoReply(AftercallError):
    """A call without a whole answer; `why` is a code and never the address."""

    sentence = ""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(f"{self.sentence}: {why}")


class Refused(NoReply):
    sentence = "The outbound guard does not call this address"


class Failed(NoReply):
    """Trying again is safe."""

    sentence = "The call failed before anything was sent"


class Unknown(NoReply):
    """Trying again may deliver twice."""

    sentence = "The call may have been delivered, but no whole answer came"


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole answer; header names are lower case. A redirect is an answer like any other."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def forbidden(address: str) -> str | None:
    """Why this IP address must not be called, or None. Mapped and translated IPv6 is judged by the IPv4 inside."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if inner is not None or ip.teredo:
            return "tunnelled_address" if inner is None else forbidden(str(inner))
    kinds = (
        ("loopback_address", ip.is_loopback),
        ("link_local_address", ip.is_link_local),
        ("multicast_address", ip.is_multicast),
        ("unspecified_address", ip.is_unspecified),
        ("private_address", ip.is_private),
        ("reserved_address", ip.is_reserved or not ip.is_global),
    )
    return next((why for why, applies in kinds if applies), None)


async def resolve(host: str, port: int) -> list[str]:
    """The addresses the system's resolver gives."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


class _Checked(httpcore.AsyncNetworkBackend):
    """Resolves, checks every address, and connects to a checked address, so that a name cannot change in between."""

    def __init__(self, allowed: frozenset[str], resolver: Resolve) -> None:
        self._allowed = allowed
        self._resolve = resolver
        self._net = httpcore.AnyIOBackend()

    async def connect_tcp(  # noqa: PLR0917  # httpcore's interface
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        addresses = await self._addresses(host, port)
        if f"{host}:{port}" not in self._allowed and (why := next(filter(None, map(forbidden, addresses)), None)):
            raise Refused(why)
        for address in addresses[:-1]:
            with contextlib.suppress(httpcore.ConnectError):
                return await self._net.connect_tcp(address, port, timeout, local_address, socket_options)
        return await self._net.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def sleep(self, seconds: float) -> None:
        await self._net.sleep(seconds)

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self._resolve(host, port)
        except (OSError, UnicodeError):
            addresses = []
        if not addresses:
            raise Failed("name_not_found")
        return addresses


class Outbound:
    """The one client for outside services. `allow` is a list of `host:port` that may be anywhere (demo and tests)."""

    def __init__(
        self, *, allow: Iterable[str] = (), body_limit: int = 262_144, metrics: OutboundMetrics | None = None, resolver: Resolve = resolve
    ) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=ssl.create_default_context(),
            max_connections=50,
            keepalive_expiry=5.0,
            network_backend=_Checked(frozenset(allow), resolver),
        )
        self._body_limit = body_limit
        self._metrics = metrics

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str], timeout: float) -> Reply:  # noqa: ASYNC109  # of the whole call, by contract
        """POST; `timeout` is for everything together, in seconds."""
        return await self.request("POST", url, content=content, headers=headers, timeout=timeout)

    async def request(
        self,
        method: str,
        url: str,
        *,
        content: bytes = b"",
        headers: Mapping[str, str] | None = None,
        timeout: float,  # noqa: ASYNC109  # of the whole call
    ) -> Reply:
        try:
            reply = await self._bounded(method, url, content=content, headers=headers or {}, seconds=timeout)
        except (Refused, Failed, Unknown) as error:
            self._count(type(error).__name__.lower())
            raise
        self._count("ok" if reply.status < 300 else "answered_error")
        return reply

    async def close(self) -> None:
        await self._pool.aclose()

    async def _bounded(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
        check_url(url)
        sent = _Sent()
        try:
            async with asyncio.timeout(seconds):
                return await self._call(method, url, content=content, headers=headers, sent=sent)
        except TimeoutError:
            raise (Unknown if sent.anything else Failed)("timed_out") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, ssl.SSLError, OSError) as error:
            raise (Unknown if sent.anything else Failed)(_snake(error)) from None

    async def _call(self, method: str, url: str, *, content: bytes, headers: Mapping[str, str], sent: "_Sent") -> Reply:
        given = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        given.append((b"content-length", str(len(content)).encode()))
        extensions = {"trace": sent}
        async with self._pool.stream(
            method, url, headers=[(b"host", _netloc(url)), *given], content=content, extensions=extensions
        ) as response:
            body = bytearray()
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > self._body_limit:
                    raise Unknown("answer_too_large")
            names = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
            return Reply(response.status, names, bytes(body))

    def _count(self, outcome: str) -> None:
        if self._metrics:
            self._metrics.calls.labels(outcome).inc()


class _Sent:
    """Remembers from httpcore's trace whether the request began to leave."""

    def __init__(self) -> None:
        self.anything = False

    async def __call__(self, event: str, _: Mapping[str, object]) -> None:
        self.anything = self.anything or event.endswith("send_request_headers.started")


def check_url(url: str) -> None:
    """Refused unless it is http(s) with a host, without user-info, and no stranger spelling than that."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("url_invalid") from None
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or port == 0
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or "\\" in url
    ):
        raise Refused("url_invalid")
    if "@" in parts.netloc:
        raise Refused("user_info")


def _netloc(url: str) -> bytes:
    return urlsplit(url).netloc.encode("ascii")


def _snake(error: Exception) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(error).__name__).lstrip("_")
