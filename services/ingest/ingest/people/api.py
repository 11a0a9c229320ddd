"""`PUT /v1/customers/{member_id}` and `POST /v1/customers`: the member directory, over HTTP."""

from collections.abc import Sequence
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field, ValidationError

from ingest.people.handle import Account, Desk, settle
from ingest.people.receive import Refusal, account_of
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.database import Database
from shared.runtime.errors import Unprocessable
from shared.schemas import ConsentStatement, Customer, GivenAddress, ProfileGiven, When

WRITE_CUSTOMERS = Permission("customers.write", roles=frozenset({"admin"}), scopes=frozenset({"crm"}))

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
    zone: str | None = None
    postal_code: str | None = None
    language: str | None = None
    segment: str | None = None
    flags: list[str] | None = None
    traits: dict[str, str] | None = None
    consents: tuple[ConsentStatement, ...] | None = None


class Left(BaseModel):
    """A part that could not be used; everything else of the profile was."""

    path: str
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
        account, left = account_of(_given(said), deps.desk)
        (customer,) = await settle(unit, deps.desk, [account])
    assert isinstance(customer, Customer)
    return CustomerPut(
        customer_id=customer.customer_id, number=customer.number, version=customer.version, left_out=[_left(each) for each in left]
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
    accounts: list[Account] = []
    answer = ProfilesTaken(accepted=0, rejected=[], left_out=[])
    for index, line in enumerate(line for line in (await request.body()).splitlines() if line.strip()):
        try:
            account, left = account_of(_parsed(line), deps.desk)
        except Unprocessable as fault:
            answer.rejected.append(RejectedProfile(index=index, path=fault.path, reason=fault.code))
            continue
        accounts.append(account)
        answer.left_out.extend(RejectedProfile(index=index, path=each.path, reason=each.reason) for each in left)
    await _settle_all(deps, accounts)
    return answer.model_copy(update={"accepted": len(accounts)})


async def _settle_all(deps: Needs, accounts: Sequence[Account], *, at_once: int = 500) -> None:
    for start in range(0, len(accounts), at_once):
        async with deps.database.transaction() as unit:
            await settle(unit, deps.desk, accounts[start : start + at_once])


def _parsed(line: bytes) -> ProfileGiven:
    try:
        return ProfileGiven.model_validate_json(line)
    except ValidationError as error:
        raise _first(error) from None


def _given(said: dict[str, object]) -> ProfileGiven:
    try:
        return ProfileGiven.model_validate(said)
    except ValidationError as error:
        raise _first(error) from None


def _first(error: ValidationError) -> Unprocessable:
    fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return Unprocessable(fault["type"], ".".join(map(str, fault["loc"])) or None)


def _left(refusal: Refusal) -> Left:
    return Left(path=refusal.path, reason=refusal.reason)
