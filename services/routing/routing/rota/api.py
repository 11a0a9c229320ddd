"""The rota's versions: write a draft, look at it, put it in force. A version never changes."""

from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from routing.errors import VersionUnknown
from routing.rota import store
from routing.rota.model import Rota, Team
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.audit import audit
from shared.runtime.database import Database

READ: Final = Permission("rota.read", roles=frozenset({"supervisor", "admin"}))
WRITE: Final = Permission("rota.write", roles=frozenset({"supervisor", "admin"}))

router = APIRouter(prefix="/v1/rota/versions", tags=["rota"])


def database_of(request: Request) -> Database:
    database: Database = request.app.state.edges.database
    return database


Given = Annotated[Database, Depends(database_of)]
Reader = Annotated[Principal, Depends(allow(READ))]
Writer = Annotated[Principal, Depends(allow(WRITE))]


class Draft(BaseModel):
    """A whole rota; fields that do not fit are named by their path."""

    teams: tuple[Team, ...]


class Version(BaseModel):
    version: int
    created_at: datetime
    created_by: str
    active_from: datetime | None
    activated_by: str | None


class Numbered(BaseModel):
    version: int


@router.get("")
async def versions(_: Reader, database: Given) -> list[Version]:
    """Newest first. Before the first is activated, the rota of the settings is in force."""
    async with database.transaction() as unit:
        return [Version(**each) for each in await store.versions(unit.tx)]


@router.get("/{version}")
async def version(_: Reader, database: Given, version: int) -> Rota:
    async with database.transaction() as unit:
        found = await store.version(unit.tx, version)
    if found is None:
        raise VersionUnknown("rota", version)
    return found


@router.post("", status_code=201)
async def draft(person: Writer, database: Given, body: Draft) -> Numbered:
    """Keep a draft; it does nothing until it is activated."""
    async with database.transaction() as unit:
        version = await store.draft(unit.tx, Rota(teams=body.teams), by=person.ref)
        await audit(unit.tx, person, "rota.drafted", subject=str(version))
    return Numbered(version=version)


@router.post("/{version}/activate")
async def activate(person: Writer, database: Given, version: int) -> Numbered:
    """In force from now on; an older version may be activated again."""
    async with database.transaction() as unit:
        if not await store.activate(unit.tx, version, by=person.ref, at=unit.now):
            raise VersionUnknown("rota", version)
        await audit(unit.tx, person, "rota.activated", subject=str(version))
    return Numbered(version=version)
