"""Policies over HTTP: read them, check a document, keep a draft, activate it. None is ever edited in place."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from sqlalchemy import RowMapping

from scoring.decide.first import VERSIONS
from scoring.decide.policies import store
from scoring.decide.policies.handle import policies_in_force
from scoring.decide.policy import parse
from scoring.errors import PolicyInvalid, PolicyIsActive, PolicyMissing
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.audit import audit
from shared.runtime.problems import Problem

READ_POLICIES = Permission("policies.read", roles=frozenset({"supervisor", "admin"}))
WRITE_POLICIES = Permission("policies.write", roles=frozenset({"admin"}))

Reader = Annotated[Principal, Depends(allow(READ_POLICIES))]
Writer = Annotated[Principal, Depends(allow(WRITE_POLICIES))]

router = APIRouter(prefix="/v1/policies")


class PolicyLine(BaseModel):
    """A version in a list. No `active_from` and not a draft: in force since the beginning."""

    version: int
    kind: str
    note: str
    written_by: str
    written_at: datetime
    active_from: datetime | None = None
    draft: bool


class WholePolicy(PolicyLine):
    document: dict[str, Any]


class PolicyList(BaseModel):
    policies: list[PolicyLine]


class Document(BaseModel):
    document: dict[str, Any]


class NewDraft(Document):
    kind: Annotated[str, Field(max_length=40)]
    note: Annotated[str, Field(min_length=1, max_length=500)]


class Fault(BaseModel):
    path: str
    reason: str


class Checked(BaseModel):
    valid: bool
    errors: list[Fault]


class Activation(BaseModel):
    """Without a moment, at once; so a word that is not read is refused."""

    model_config = ConfigDict(extra="forbid")

    active_from: AwareDatetime | None = None


@router.get("", response_model_exclude_none=True)
async def policies(request: Request, _: Reader) -> PolicyList:
    """Every version, the newest first."""
    deps = request.app.state.deps
    async with deps.database.transaction() as unit:
        await policies_in_force(unit, deps.settings.first_policies)
        found = await store.policy_rows(unit.tx)
    return PolicyList(policies=[PolicyLine.model_validate(dict(each)) for each in found])


@router.get("/{version}", response_model_exclude_none=True)
async def policy(request: Request, version: int, _: Reader) -> WholePolicy:
    async with request.app.state.deps.database.transaction() as unit:
        return _whole(await store.policy_rows(unit.tx, version=version), version)


@router.post("/validate")
async def validate(_: Writer, given: Document) -> Checked:
    """Whether it could run; each fault by its path."""
    try:
        parse(given.document)
    except PolicyInvalid as error:
        return Checked(valid=False, errors=_faults(error))
    return Checked(valid=True, errors=[])


@router.post("", status_code=201, response_model_exclude_none=True)
async def draft(request: Request, principal: Writer, given: NewDraft) -> WholePolicy:
    """Keep a checked document as the next version, not in force."""
    if given.kind not in VERSIONS:
        raise Problem(422, "invalid", f"kind is one of {', '.join(VERSIONS)}", errors=[{"path": "kind", "reason": "unknown"}])
    try:
        parse(given.document)
    except PolicyInvalid as error:
        raise Problem(422, "invalid", "The document cannot run", errors=_prefixed(error)) from None
    async with request.app.state.deps.database.transaction() as unit:
        version = await store.draft_policy(unit.tx, given.kind, given.document, note=given.note, by=principal.ref, now=unit.now)
        await audit(unit.tx, principal, "policy.drafted", subject=str(version), detail={"kind": given.kind})
        return _whole(await store.policy_rows(unit.tx, version=version), version)


@router.post("/{version}/activate", response_model_exclude_none=True)
async def activate(request: Request, version: int, principal: Writer, given: Activation) -> WholePolicy:
    """In force from now or a later moment on, for every decision made then. Before the very first the others start with their own."""
    deps = request.app.state.deps
    async with deps.database.transaction() as unit:
        await policies_in_force(unit, deps.settings.first_policies)
        at = given.active_from or unit.now
        if at < unit.now:
            raise Problem(422, "invalid", "active_from is in the past", errors=[{"path": "active_from", "reason": "past"}])
        try:
            await store.activate_policy(unit.tx, version, at=at, who=principal)
        except PolicyIsActive as error:
            raise Problem(409, "active_already", str(error)) from None
        except PolicyMissing as error:
            raise Problem(404, "not_found", str(error)) from None
        return _whole(await store.policy_rows(unit.tx, version=version), version)


def _whole(found: list[RowMapping], version: int) -> WholePolicy:
    if not found:
        raise Problem(404, "not_found", str(PolicyMissing(version)))
    return WholePolicy.model_validate(dict(found[0]))


def _faults(error: PolicyInvalid) -> list[Fault]:
    return [Fault(path=fault.path, reason=fault.reason) for fault in error.faults]


def _prefixed(error: PolicyInvalid) -> list[dict[str, str]]:
    return [{"path": f"document.{fault.path}", "reason": fault.reason} for fault in error.faults]
