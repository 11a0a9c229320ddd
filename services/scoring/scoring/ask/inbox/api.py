"""`GET /v1/inbox`: what the development inbox was given."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel

from scoring.ask.inbox import store
from scoring.deps import Deps
from shared.runtime.access import Permission, Principal, allow
from shared.schemas import Sealed

READ_INBOX = Permission("inbox.read", roles=frozenset({"supervisor", "admin"}))

router = APIRouter()


class InboxMessage(BaseModel):
    """One message; `survey_id` is its idempotency key."""

    id: UUID
    survey_id: str
    channel: str
    to: str
    subject: str | None = None
    body: str
    received_at: datetime


class Inbox(BaseModel):
    """The newest first. `next`: give it as `before` for the page after this one."""

    messages: list[InboxMessage]
    next: UUID | None = None


async def read_inbox(deps: Deps, *, before: UUID | None, limit: int) -> Inbox:
    async with deps.database.transaction() as unit:
        found = await store.latest(unit.tx, before=before, limit=limit)
    messages = [
        InboxMessage(
            id=each["id"],
            survey_id=each["idempotency_key"],
            channel=each["channel"],
            to=deps.sealer.unseal(Sealed.model_validate(each["address"])),
            subject=each["subject"],
            body=each["body"],
            received_at=each["received_at"],
        )
        for each in found
    ]
    return Inbox(messages=messages, next=messages[-1].id if len(messages) == limit else None)


@router.get("/v1/inbox", response_model_exclude_none=True)
async def inbox(
    request: Request,
    _: Annotated[Principal, Depends(allow(READ_INBOX))],
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> Inbox:
    """Empty unless a channel is sent by the development inbox, which production refuses."""
    return await read_inbox(request.app.state.deps, before=before, limit=limit)
