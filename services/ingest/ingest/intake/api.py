"""`POST /v1/events`: the same door as the topics, straight into the database."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from ingest.intake.handle import Door
from ingest.intake.lines import bodies
from ingest.intake.sorting import CONFLICT, Sorted
from ingest.intake.store import Stored
from ingest.normalise.envelopes import NO_EVENTS
from shared.runtime.access import Permission, Principal, allow

SEND_EVENTS = Permission("events.send", scopes=frozenset({"platform"}))

router = APIRouter()


class Rejected(BaseModel):
    """`index` counts the events of the request from 0; `path` leads to the field at fault."""

    index: int
    path: str | None
    reason: str


class Taken(BaseModel):
    """What became of a request's events; all that was accepted is stored."""

    accepted: int = Field(description="new and stored")
    duplicate: int = Field(description="known already")
    ignored: int = Field(description="say nothing of a contact")
    rejected: list[Rejected] = Field(description="not stored: mend and send again")


BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"anyOf": [{"type": "object"}, {"type": "array", "items": {"type": "object"}}]}},
            "application/cloudevents+json": {"schema": {"type": "object"}},
            "application/cloudevents-batch+json": {"schema": {"type": "array", "items": {"type": "object"}}},
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


@router.post("/v1/events", status_code=202, openapi_extra=BODY)
async def events(request: Request, principal: Annotated[Principal, Depends(allow(SEND_EVENTS))]) -> Taken:
    """One event, an array, JSON lines, or CloudEvents (structured, binary, batch). 202 means stored."""
    door: Door = request.app.state.deps.door
    headers = {name.lower(): value for name, value in request.headers.items()}
    raw = replace(door.raw, headers=headers, account=principal.account or door.raw.account)
    lines = [replace(raw, body=line) for line in bodies(await request.body(), headers)]
    sort_of, stored = await door.post(lines, principal.may_send_for)
    return taken(sort_of, stored)


def taken(sort_of: Sorted, stored: Stored) -> Taken:
    clashing = [sort_of.taken[identity] for identity in stored.clashes]
    conflicts = [Rejected(index=each.place + each.event.index, path=None, reason=CONFLICT) for each in clashing]
    faults = [Rejected(index=fault.place + fault.index, path=fault.path, reason=fault.reason) for fault in sort_of.faults]
    known = len(sort_of.taken) - len(stored.fresh) - len(stored.clashes)
    return Taken(
        accepted=len(stored.fresh),
        duplicate=known + len(sort_of.repeated),
        ignored=sum(each.reason != NO_EVENTS for each in sort_of.ignored),
        rejected=sorted([*faults, *conflicts], key=lambda each: each.index),
    )
