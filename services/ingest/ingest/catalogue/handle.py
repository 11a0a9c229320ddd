"""Keep a version of the catalogue, and put one in force; both audited."""

from datetime import datetime
from typing import Literal

from ingest.catalogue import store
from ingest.catalogue.model import Active, Catalogue
from shared.runtime.audit import Actor, audit
from shared.runtime.database import Unit

NotActivated = Literal["unknown_version", "in_the_past", "in_force"]


async def in_force(unit: Unit, first: Catalogue) -> Active:
    """The active version, or the settings' own, as version 0, before one was activated."""
    return await store.active(unit.tx) or Active(0, first)


async def draft(unit: Unit, catalogue: Catalogue, *, note: str | None, by: Actor) -> int:
    """The number of the new version; not yet in force."""
    number = await store.draft(unit.tx, catalogue, note=note, by=by.ref)
    await audit(unit.tx, by, "catalogue.drafted", subject=str(number))
    return number


async def activate(unit: Unit, number: int, *, at: datetime | None, by: Actor) -> NotActivated | None:
    """In force from `at`, or from now on, also again. Why not: a time in the past would rewrite what was told, and the version in force
    cannot be put off."""
    if at is not None and at < unit.now:
        return "in_the_past"
    active = await store.active(unit.tx)
    if at is not None and active and active.version == number:
        return "in_force"
    if not await store.activate(unit.tx, number, at=at, by=by.ref):
        return "unknown_version"
    await audit(unit.tx, by, "catalogue.activated", subject=str(number), detail={"from": (at or unit.now).isoformat()})
    return None
