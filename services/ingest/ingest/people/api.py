"""`PUT /v1/customers/{member_id}` and `POST /v1/customers`: the member directory, over HTTP."""

from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field, ValidationError

from ingest.people.handle import Desk
from ingest.people.receive import ERASED, Refusal, refusal_of, take, take_lines
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.database import Database
from shared.runtime.errors import Unprocessable
from shared.runtime.problems import Problem
from shared.schemas import ConsentStatement, GivenAddress, ProfileGiven, When

WRITE_CUSTOMERS = Permission("customers.write", roles=frozenset({"admin"}), scopes=frozenset({"crm"}))

AT_ONCE = 500

router = APIRouter()


class Needs(Protocol):
    @property
    def database(self) -> Database: ...

    @property
    def desk(self) -> Desk: ...


class ProfilePut(BaseModel):
    """As `ProfileGiven`, whose member is in the address. Without `at` it counts as said now."""

    profile_id: str = Field("put", min_length=1, max_length=300, description="settles which of two with the same `at` counts")
    at: When | None = None
    name: str | None = None
    addresses: tuple[GivenAddress, ...] | None = None
    address_kinds: tuple[str, ...] | None = Field(None, description="of which kinds `addresses` are all; without it, of every kind")
    zone: str | None = None
    postal_code: str | None = None
    language: str | None = None
    segment: str | None = None
    flags: list[str] | None = None
    traits: dict[str, str] | None = None
    consents: tuple[ConsentStatement, ...] | None = None


class Left(BaseModel):
    """A part that could not be used; everything else of the profile was."""

    path: str | None
    reason: str


class CustomerPut(BaseModel):
    customer_id: UUID
    number: int
    version: int
    left_out: list[Left]


class RejectedProfile(BaseModel):
    index: int
    path: str | None
    reason: str


class ProfilesTaken(BaseModel):
    accepted: int
    rejected: list[RejectedProfile]
    left_out: list[RejectedProfile] = Field(description="parts of accepted profiles that could not be used")


@router.put("/v1/customers/{member_id}")
async def put(
    request: Request,
    _: Annotated[Principal, Depends(allow(WRITE_CUSTOMERS))],
    member_id: Annotated[str, Path(min_length=1, max_length=300)],
    profile: ProfilePut,
) -> CustomerPut:
    """What the directory says of a member. A missing field says nothing, an empty one clears, the latest `at` wins."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        said = profile.model_dump(exclude_none=True) | {"member_id": member_id, "at": profile.at or unit.now}
        (taken,) = await take(unit, deps.desk, [_given(said)])
        if taken.refused:
            raise _refused(taken.refused)
    customer = taken.customer
    assert customer is not None
    return CustomerPut(
        customer_id=customer.customer_id, number=customer.number, version=customer.version, left_out=[_left(each) for each in taken.left]
    )


LINES = {
    "requestBody": {
        "required": True,
        "content": {"application/x-ndjson": {"schema": {"type": "string", "description": "a ProfileGiven on each line"}}},
    }
}


@router.post("/v1/customers", openapi_extra=LINES)
async def post(request: Request, _: Annotated[Principal, Depends(allow(WRITE_CUSTOMERS))]) -> ProfilesTaken:
    """JSON lines of profiles, as on the topic `customers.profiles`. Good lines are stored, bad ones named."""
    deps: Needs = request.app.state.deps
    answer = ProfilesTaken(accepted=0, rejected=[], left_out=[])
    lines = [line for line in (await request.body()).splitlines() if line.strip()]
    for start in range(0, len(lines), AT_ONCE):
        async with deps.database.transaction() as unit:
            taken = await take_lines(unit, deps.desk, lines[start : start + AT_ONCE])
        for index, each in enumerate(taken, start):
            answer.accepted += each.refused is None
            answer.rejected += [_rejected(index, each.refused)] if each.refused else []
            answer.left_out += [_rejected(index, left) for left in each.left]
    return answer


def _given(said: dict[str, object]) -> ProfileGiven:
    try:
        return ProfileGiven.model_validate(said)
    except ValidationError as error:
        fault = refusal_of(error)
        raise Unprocessable(fault.reason, fault.path) from None


def _refused(fault: Refusal) -> Exception:
    if fault.reason == ERASED:
        return Problem(409, ERASED, "This member was erased; nothing is taken of them until their handles are forgotten as well")
    return Unprocessable(fault.reason, fault.path)


def _rejected(index: int, refusal: Refusal) -> RejectedProfile:
    return RejectedProfile(index=index, path=refusal.path, reason=refusal.reason)


def _left(refusal: Refusal) -> Left:
    return Left(path=refusal.path, reason=refusal.reason)
