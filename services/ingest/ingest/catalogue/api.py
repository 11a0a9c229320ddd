"""`/v1/catalogue`: check, draft, look, compare, activate."""

from datetime import datetime
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from ingest.catalogue import handle, store
from ingest.catalogue.compare import Change, changes
from ingest.catalogue.model import Active, Catalogue
from ingest.catalogue.reading import faults
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.database import Database
from shared.runtime.problems import Problem
from shared.schemas import When

EDIT_CATALOGUE = Permission("catalogue.edit", roles=frozenset({"admin"}))
Admin = Annotated[Principal, Depends(allow(EDIT_CATALOGUE))]

router = APIRouter()


class Needs(Protocol):
    @property
    def database(self) -> Database: ...

    @property
    def catalogue(self) -> Catalogue: ...


class Draft(BaseModel):
    catalogue: Catalogue
    note: str | None = Field(None, max_length=500, description="what changed, for those who look later")


class Version(BaseModel):
    version: int
    note: str | None
    created: datetime
    created_by: str
    active_from: datetime | None
    activated_by: str | None
    catalogue: Catalogue | None = Field(None, description="only when one version is asked for")


class Versions(BaseModel):
    active: int = Field(description="0: none was activated yet, the settings' own is in force")
    versions: list[Version]


class Fault(BaseModel):
    path: str = Field(description="the place in the catalogue, such as moments.3.queue")
    reason: str


class Changed(BaseModel):
    """One place that reads otherwise: added, removed, changed, or, of a rule, moved."""

    path: str
    change: str
    before: Any = None
    after: Any = None


class Comparison(BaseModel):
    against: int = Field(description="the version compared with; 0 is the settings' own")
    changes: list[Changed]


class Checked(Comparison):
    """What a draft would change, and what must be mended before it can be kept."""

    faults: list[Fault]


class Activation(BaseModel):
    """Nothing but this: a word that is not read would put the version in force at once."""

    model_config = ConfigDict(extra="forbid")

    since: When | None = Field(None, alias="from", description="in force from then on; now, where it is missing")


@router.post("/v1/catalogue/check")
async def check(request: Request, _: Admin, draft: Draft) -> Checked:
    """What is wrong with a draft and what it would change of what is in force. Nothing is kept."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        active = await handle.in_force(unit, deps.catalogue)
    wrong = [Fault(path=path, reason=reason) for path, reason in faults(draft.catalogue)]
    found = [_changed(each) for each in changes(active.catalogue, draft.catalogue)]
    return Checked(against=active.version, changes=found, faults=wrong)


@router.get("/v1/catalogue/versions/{number}/changes")
async def compare(request: Request, _: Admin, number: int, against: int | None = None) -> Comparison:
    """For which agent, queue, team and moment this version differs from the one in force, or from `against`."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        found = await store.version(unit.tx, number)
        other = await store.version(unit.tx, against) if against else None
        active = await handle.in_force(unit, deps.catalogue)
    if found is None or (against and other is None):
        raise _unknown()
    if against is not None:
        active = Active(against, Catalogue.model_validate(other["body"]) if other else deps.catalogue)
    return Comparison(
        against=active.version, changes=[_changed(each) for each in changes(active.catalogue, Catalogue.model_validate(found["body"]))]
    )


@router.get("/v1/catalogue/versions")
async def versions(request: Request, _: Admin) -> Versions:
    """The newest first."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        found = await store.versions(unit.tx)
        active = await store.active(unit.tx)
    return Versions(active=active.version if active else 0, versions=[_version(each) for each in found])


@router.get("/v1/catalogue/versions/{number}")
async def version(request: Request, _: Admin, number: int) -> Version:
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        found = await store.version(unit.tx, number)
    if found is None:
        raise _unknown()
    return _version(found)


@router.post("/v1/catalogue/versions", status_code=201)
async def draft(request: Request, principal: Admin, draft: Draft) -> Version:
    """Validated and kept, not yet in force."""
    wrong = [{"path": f"catalogue.{path}", "reason": reason} for path, reason in faults(draft.catalogue)]
    if wrong:
        raise Problem(422, "catalogue_invalid", "The catalogue contradicts itself: errors names each place", errors=wrong)
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        number = await handle.draft(unit, draft.catalogue, note=draft.note, by=principal)
        found = await store.version(unit.tx, number)
    assert found is not None
    return _version(found)


@router.post("/v1/catalogue/versions/{number}/activate")
async def activate(request: Request, principal: Admin, number: int, activation: Activation | None = None) -> Version:
    """In force for every contact judged from then on; what was told before keeps its attribution. An older version may come back."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        refused = await handle.activate(unit, number, at=activation.since if activation else None, by=principal)
        if refused:
            raise _not_activated(refused)
        found = await store.version(unit.tx, number)
    assert found is not None
    return _version(found)


def _version(row: RowMapping) -> Version:
    body = row.get("body")
    return Version(**{name: row[name] for name in row if name != "body"}, catalogue=Catalogue.model_validate(body) if body else None)


def _changed(change: Change) -> Changed:
    return Changed(path=change.path, change=change.change, before=change.before, after=change.after)


def _not_activated(reason: handle.NotActivated) -> Problem:
    match reason:
        case "in_the_past":
            return Problem(422, reason, "It cannot have been in force already", errors=[{"path": "from", "reason": reason}])
        case "in_force":
            return Problem(409, reason, "This version is in force: it cannot be put off")
        case "unknown_version":
            return _unknown()


def _unknown() -> Problem:
    return Problem(404, "not_found", "There is no such version of the catalogue")
