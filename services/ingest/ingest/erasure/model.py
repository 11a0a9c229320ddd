"""Somebody to be forgotten: under which ids, which handles lead to them, and which of those are theirs alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ingest.people.model import Handle
from shared.traces import Traces

Root = tuple[str, str, str]
"""Platform, account and the platform's own id of a whole contact."""


@dataclass(frozen=True, slots=True)
class Found:
    """`ids` begins with the one that counts, its aliases follow. `held` are the handles of today, `seen` those of all their contacts."""

    ids: tuple[UUID, ...]
    held: frozenset[Handle]
    seen: frozenset[Handle]
    roots: frozenset[Root]
    traces: Traces

    @property
    def handles(self) -> frozenset[Handle]:
        return self.held | self.seen


@dataclass(frozen=True, slots=True)
class Sweep:
    """An erasure whose search is under way."""

    request_id: UUID
    customer_ids: tuple[UUID, ...]
    refs: frozenset[str]
    traces: Traces
    letters_to: UUID
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Seen:
    """What one stored event says of its customer, unsealed, and the handles in it."""

    root: Root
    event: UUID
    said: Mapping[str, Any]
    handles: tuple[Handle, ...]


@dataclass(frozen=True, slots=True)
class Report:
    service: str
    counts: Mapping[str, int]
    clean_by: datetime
    done: bool
    reported_at: datetime
