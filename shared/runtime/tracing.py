"""The W3C trace context of the work in hand, so that it travels through headers and outbox rows."""

import re
from contextvars import ContextVar

_SHAPE = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current() -> str | None:
    return _current.get()


def carry_on(traceparent: str | None) -> None:
    """Make `traceparent` the current one; anything that is not one is no trace."""
    _current.set(traceparent if traceparent and _SHAPE.fullmatch(traceparent) else None)
