"""Contacts written down in one line per event, for the fold."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import NAMESPACE_OID, uuid5

from ingest.contacts.model import StoredEvent
from ingest.normalise.model import Facts, Handles, Kind

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def minutes(count: float) -> datetime:
    """So many minutes after the morning on which all test contacts begin."""
    return MORNING + timedelta(minutes=count)


def ms(count: float) -> int:
    return int(minutes(count).timestamp() * 1000)


def told(
    kind: str, minute: float | None, leg: str = "leg-1", *, name: str | None = None, received: float | None = None,
    handles: Mapping[str, str] | None = None, **facts: Any,
) -> StoredEvent:  # fmt: skip
    """An event at that minute (None: without a time), stored in the same minute unless said otherwise."""
    arrived = received if received is not None else minute
    assert arrived is not None, "an event without a time must say when it was received"
    return StoredEvent(
        id=uuid5(NAMESPACE_OID, name or f"{kind} {minute} {leg}"), leg=leg, kind=Kind(kind), at=None if minute is None else minutes(minute),
        received=minutes(arrived), facts=cast("Facts", {"channel": "phone", **facts}), handles=cast("Handles", dict(handles or {})),
    )  # fmt: skip
