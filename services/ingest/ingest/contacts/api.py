"""`GET /v1/interactions`: did you get it, what did you make of it, what are you waiting for?"""

from datetime import datetime
from typing import Annotated, Any, Protocol
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.contacts import store
from ingest.contacts.store import Root
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.database import Database
from shared.runtime.problems import Problem

READ_INTERACTIONS = Permission("interactions.read", roles=frozenset({"admin"}), scopes=frozenset({"platform"}))
PERSONAL = ("customer",)

router = APIRouter()


class Needs(Protocol):
    @property
    def database(self) -> Database: ...


class EventSeen(BaseModel):
    id: UUID
    kind: str
    leg: str
    at: datetime | None = Field(description="when it happened, by the platform's clock")
    received: datetime = Field(description="when we stored it, by the database's clock")
    facts: dict[str, Any]


class Revision(BaseModel):
    """One message as it was sent, but for the customer's snapshot, of which the id stays."""

    interaction_id: UUID
    revision: int
    published: datetime
    customer_id: UUID | None
    interaction: dict[str, Any]


class ContactSeen(BaseModel):
    """`waits_for`: first_look, end, next_leg, hold_off or address, until `look_again_at`; null when it is over.

    `unprocessable`: what its events say makes no sense together; looked at again when another one comes.
    """

    platform: str
    account: str
    ref: str
    waits_for: str | None
    look_again_at: datetime | None
    events: list[EventSeen]
    revisions: list[Revision]


class ContactsSeen(BaseModel):
    contacts: list[ContactSeen]


class Asked(BaseModel):
    platform: str = Field(min_length=1, max_length=100)
    ref: str = Field(min_length=1, max_length=500, description="the platform's own id of the whole contact")
    account: str | None = Field(None, max_length=500)


@router.get("/v1/interactions")
async def by_ref(
    request: Request, principal: Annotated[Principal, Depends(allow(READ_INTERACTIONS))], asked: Annotated[Asked, Query()]
) -> ContactsSeen:
    """What is known of a contact by the platform's own id; an empty list says that nothing of it arrived."""
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        roots = await store.found_by_ref(unit.tx, asked.platform, asked.account, ref=asked.ref)
        seen = [await _contact(unit.tx, root) for root in roots if principal.may_send_for(root[0], root[1])]
    return ContactsSeen(contacts=seen)


@router.get("/v1/interactions/{interaction_id}")
async def by_id(request: Request, principal: Annotated[Principal, Depends(allow(READ_INTERACTIONS))], interaction_id: UUID) -> ContactSeen:
    deps: Needs = request.app.state.deps
    async with deps.database.transaction() as unit:
        root = await store.root_of(unit.tx, interaction_id)
        if root is None or not principal.may_send_for(root[0], root[1]):
            raise Problem(404, "not_found", "There is no such interaction among yours")
        return await _contact(unit.tx, root)


async def _contact(tx: AsyncConnection, root: Root) -> ContactSeen:
    platform, account, ref = root
    contact = await store.contact(tx, root)
    events = sorted((await store.events(tx, [root])).get(root, ()), key=lambda each: (each.at or each.received, each.received, each.id))
    return ContactSeen(
        platform=platform,
        account=account,
        ref=ref,
        waits_for=contact["waits_for"] or ("first_look" if contact["due"] else None) if contact else None,
        look_again_at=contact["due"] if contact else None,
        events=[EventSeen(**{name: getattr(each, name) for name in EventSeen.model_fields}) for each in events],
        revisions=[_revision(each) for each in await store.revisions(tx, root)],
    )


def _revision(row: RowMapping) -> Revision:
    payload = row["payload"]
    return Revision(
        interaction_id=row["id"],
        revision=row["revision"],
        published=row["created"],
        customer_id=payload["customer"]["customer_id"] if payload.get("customer") else None,
        interaction={name: value for name, value in payload.items() if name not in PERSONAL},
    )
