"""`/v1/erasures`: forget somebody, and what has become of it in every service."""

from datetime import datetime
from typing import Annotated, Protocol, Self
from uuid import UUID

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, StringConstraints, model_validator
from sqlalchemy import RowMapping

from ingest.erasure import store
from ingest.erasure.handle import Office, erase_customer, erase_member
from ingest.erasure.model import Report
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.database import Database, Unit
from shared.runtime.problems import Problem
from shared.schemas import Code
from shared.topics import SERVICES

ERASE = Permission("customers.erase", roles=frozenset({"admin"}), scopes=frozenset({"crm"}))
May = Annotated[Principal, Depends(allow(ERASE))]

router = APIRouter()


class Needs(Protocol):
    @property
    def database(self) -> Database: ...

    @property
    def office(self) -> Office: ...


class ErasureAsked(BaseModel):
    """Whom to forget: by the directory's id of the member, or by the id of the customer; either leads to all their other ids."""

    member_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)] | None = None
    customer_id: UUID | None = None
    basis: Code = Field("request", max_length=60, pattern=r"^[A-Za-z0-9_.-]+$", description="why, as a code: it is kept and sent on")

    @model_validator(mode="after")
    def names_one(self) -> Self:
        if (self.member_id is None) == (self.customer_id is None):
            raise ValueError("give exactly one of member_id, customer_id")
        return self


class ServiceReport(BaseModel):
    """`waiting`: nothing heard yet. `late`: it should have reported by now."""

    service: str
    state: str = Field(description="waiting, working or done")
    late: bool
    counts: dict[str, int] = Field(description="what was deleted or anonymised")
    clean_by: datetime | None = Field(description="when the last sealed copies in topics are gone")
    reported_at: datetime | None


class Erasure(BaseModel):
    request_id: UUID
    state: str = Field(description="in_progress, or done when every service has reported that it is")
    requested_at: datetime
    basis: str
    customer_ids: list[UUID] = Field(description="the customer's id, and every other one they had")
    clean_by: datetime | None = Field(description="when the last copies in topics are gone, platforms' own topics included")
    services: list[ServiceReport]


@router.post("/v1/erasures", status_code=202)
async def post(request: Request, principal: May, asked: ErasureAsked) -> Erasure:
    """Accepted: ingest has forgotten the person and told the others. Asked again for the same person, the same request answers."""
    office: Office = request.app.state.deps.office
    async with request.app.state.deps.database.transaction() as unit:
        if asked.member_id is not None:
            made: UUID | None = await erase_member(unit, office, asked.member_id, basis=asked.basis, by=principal)
        else:
            assert asked.customer_id is not None
            made = await erase_customer(unit, office, asked.customer_id, basis=asked.basis, by=principal)
        if made is None:
            raise Problem(404, "not_found", "There is no such customer")
        return await _told(unit, office, made)


@router.get("/v1/erasures/{request_id}")
async def get(request: Request, _: May, request_id: UUID) -> Erasure:
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        return await _told(unit, deps.office, request_id)


async def _told(unit: Unit, office: Office, request_id: UUID) -> Erasure:
    found = await store.request(unit.tx, request_id)
    if found is None:
        raise Problem(404, "not_found", "There is no such erasure")
    reports = await store.reports(unit.tx, request_id)
    overdue = found["requested_at"] + office.late < unit.now
    services = [_service(each, reports.get(each), found, overdue=overdue) for each in SERVICES]
    ends = [each.clean_by for each in services if each.clean_by]
    return Erasure(
        request_id=request_id,
        state="done" if found["finished"] else "in_progress",
        requested_at=found["requested_at"],
        basis=found["basis"],
        customer_ids=found["customer_ids"],
        clean_by=max(ends, default=None),
        services=services,
    )


def _service(service: str, report: Report | None, asked: RowMapping, *, overdue: bool) -> ServiceReport:
    done = bool(report and report.done)
    working = bool(report) or (service == "ingest" and asked["due"] is not None)
    return ServiceReport(
        service=service,
        state="done" if done else "working" if working else "waiting",
        late=overdue and not done,
        counts=dict(report.counts) if report else {},
        clean_by=report.clean_by if report else None,
        reported_at=report.reported_at if report else None,
    )
