"""`/v1/catalogue/versions`: draft, look, activate."""

from datetime import datetime
from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping

from ingest.catalogue import store
from ingest.catalogue.attribute import faults
from ingest.catalogue.model import Catalogue
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.audit import audit
from shared.runtime.database import Database
from shared.runtime.problems import Problem

EDIT_CATALOGUE = Permission("catalogue.edit", roles=frozenset({"admin"}))
Admin = Annotated[Principal, Depends(allow(EDIT_CATALOGUE))]

router = APIRouter()


class Needs(Protocol):
    @property
    def database(self) -> Database: ...


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
        number = await store.draft(unit.tx, draft.catalogue, note=draft.note, by=principal.ref)
        await audit(unit.tx, principal, "catalogue.drafted", subject=str(number))
        found = await store.version(unit.tx, number)
    assert found is not None
    return _version(found)


@router.post("/v1/catalogue/versions/{number}/activate")
async def activate(request: Request, principal: Admin, number: int) -> Version:
    """In force for every contact judged from now on; what was told before keeps its attribution. An older version may come back."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        if not await store.activate(unit.tx, number, by=principal.ref):
            raise _unknown()
        await audit(unit.tx, principal, "catalogue.activated", subject=str(number))
        found = await store.version(unit.tx, number)
    assert found is not None
    return _version(found)


def _version(row: RowMapping) -> Version:
    body = row.get("body")
    return Version(**{name: row[name] for name in row if name != "body"}, catalogue=Catalogue.model_validate(body) if body else None)


def _unknown() -> Problem:
    return Problem(404, "not_found", "There is no such version of the catalogue")
