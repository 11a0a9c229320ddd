"""Who did what to whom: append-only, never with a person's data in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from shared.runtime.database import as_json, run


class Actor(Protocol):
    """A person, a key, or what a message says of either."""

    @property
    def kind(self) -> str: ...

    @property
    def ref(self) -> str: ...


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Whoever has the settings of the service at hand."""

    kind: str = "command"
    ref: str = "command line"


async def audit(tx: AsyncConnection, who: Actor, what: str, *, subject: str | UUID, detail: Mapping[str, object] | None = None) -> None:
    """In the transaction of what was done."""
    await run(
        tx,
        "insert into audit (by_kind, by_ref, what, subject, detail) values (:kind, :ref, :what, :subject, cast(:detail as jsonb))",
        kind=who.kind,
        ref=who.ref,
        what=what,
        subject=str(subject),
        detail=as_json(dict(detail or {})),
    )
