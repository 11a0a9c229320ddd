"""What stands around every request: its id, its limits, the same-origin check, the security headers, log and metrics."""

import asyncio
import logging
import time
import uuid
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.runtime import tracing
from shared.runtime.logging import request_id
from shared.runtime.metrics import HttpMetrics
from shared.runtime.problems import Problem, answer, of_failure

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": "; ".join(
        [
            "default-src 'none'",
            *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "font", "connect")),
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}
HSTS = {"Strict-Transport-Security": "max-age=31536000"}
log = logging.getLogger("aftercall.http")


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one request body: bytes, and seconds until it must have arrived."""

    body_bytes: int
    body_s: float


class Guard:
    """ASGI middleware of one port (`public` or `internal`)."""

    def __init__(self, app: ASGIApp, *, port: str, limits: Limits, metrics: HttpMetrics, cookie: str, secure: bool) -> None:
        self._app = app
        self._port = port
        self._limits = limits
        self._metrics = metrics
        self._cookie = cookie
        self._headers = HEADERS | (HSTS if secure else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        token = request_id.set(uuid.uuid4().hex)
        tracing.carry_on(Headers(scope=scope).get("traceparent"))
        reply, started = _Reply(send, self._headers), time.perf_counter()
        self._metrics.active.labels(self._port).inc()
        try:
            await self._answer(scope, receive, reply)
        finally:
            self._metrics.active.labels(self._port).dec()
            self._record(scope, reply.status, time.perf_counter() - started)
            request_id.reset(token)

    async def _answer(self, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        request = Request(scope)
        try:
            if refused := self._refused(request):
                await answer(request, refused)(scope, receive, reply)
            else:
                await self._app(scope, Bounded(receive, self._limits), reply)
        except Exception as error:
            problem = of_failure(error)
            log.log(
                logging.ERROR if problem.status_code == 500 else logging.WARNING,
                "request failed",
                exc_info=error,
                extra={"route": template(scope)},
            )
            if reply.status:
                raise
            await answer(request, problem)(scope, receive, reply)

    def _refused(self, request: Request) -> Problem | None:
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > self._limits.body_bytes:
            return _too_large(self._limits.body_bytes)
        if self._cookie in request.cookies and not same_origin(request):
            return Problem(403, "cross_origin", "A signed-in page may only be posted from our own pages")
        return None

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = template(scope)
        self._metrics.requests.labels(self._port, method, route, str(status or 0)).inc()
        self._metrics.seconds.labels(self._port, method, route).observe(seconds)
        level = logging.INFO if self._port == "public" and not route.startswith("/static/") else logging.DEBUG
        log.log(
            level, "request", extra={"method": method, "route": route, "status": status, "seconds": round(seconds, 4), "port": self._port}
        )


_METHODS = SAFE_METHODS | {"POST", "PUT", "PATCH", "DELETE"}


def template(scope: MutableMapping[str, Any]) -> str:
    """The route's template, with the prefix of the router it came by; the path itself may carry a token."""
    included = scope.get("fastapi", {}).get("effective_route_context")
    return getattr(included or scope.get("route"), "path_format", None) or "unmatched"


def same_origin(request: Request) -> bool:
    """May this request change something? A browser says where it comes from; who says nothing is no browser and carries no stolen cookie.

    The rule is that of Go's `http.CrossOriginProtection`.
    """
    if request.method in SAFE_METHODS:
        return True
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def _too_large(limit: int) -> Problem:
    # The connection stays: closing it on a sender that still writes resets it, and our answer with it. The server drops what still comes.
    return Problem(413, "too_large", f"Send at most {limit} bytes at once")


class Bounded:
    """A `receive` that cuts a body, also a chunked one, at its limits; after the body it waits as long as it takes."""

    def __init__(self, receive: Receive, limits: Limits) -> None:
        self._receive = receive
        self._limits = limits
        self._size = 0
        self._whole = False
        self._deadline = time.monotonic() + limits.body_s

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                message = await self._receive()
        except TimeoutError:
            raise Problem(408, "too_slow", "The body did not arrive in time", headers={"Connection": "close"}) from None
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._size > self._limits.body_bytes:
            raise _too_large(self._limits.body_bytes)
        return message


class _Reply:
    """A `send` that adds our headers and remembers the status (0: nothing was sent)."""

    def __init__(self, send: Send, headers: dict[str, str]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in self._headers.items():
                headers.setdefault(name, value)
            headers.setdefault("Cache-Control", "no-store")
            headers["X-Request-Id"] = request_id.get() or ""
        await self._send(message)
