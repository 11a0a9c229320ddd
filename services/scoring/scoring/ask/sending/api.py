"""`POST /v1/sending/pause` and `/resume`: the switch that stops sending, by channel, by policy or all of it."""

from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, model_validator
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.ask.model import Scope
from scoring.ask.sending import store
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.audit import audit

PAUSE_SENDING = Permission("sending.pause", roles=frozenset({"admin"}))
READ_SENDING = Permission("sending.read", roles=frozenset({"supervisor", "admin"}))

router = APIRouter(prefix="/v1/sending")


class What(BaseModel):
    """`value` is the channel's code, or the policy's version; nothing for all."""

    scope: Literal["all", "channel", "policy"] = "all"
    value: Annotated[str, Field(max_length=40, pattern=r"^[a-z0-9_]*$")] = ""

    @model_validator(mode="after")
    def names_what(self) -> Self:
        if (self.scope == "all") != (self.value == ""):
            raise ValueError("value names the channel or the policy, and is empty for all")
        return self

    def as_scope(self) -> Scope:
        return Scope(self.scope, self.value)


class PauseInForce(What):
    paused_at: datetime
    paused_by: str


class Sending(BaseModel):
    """What is paused now; an empty list: everything leaves. `changed`: whether this request changed it."""

    paused: list[PauseInForce]
    changed: bool = False


@router.get("")
async def sending(request: Request, _: Annotated[Principal, Depends(allow(READ_SENDING))]) -> Sending:
    async with request.app.state.deps.database.transaction() as unit:
        return Sending(paused=[PauseInForce.model_validate(dict(each)) for each in await store.pauses(unit.tx)])


@router.post("/pause")
async def pause(request: Request, principal: Annotated[Principal, Depends(allow(PAUSE_SENDING))], what: What) -> Sending:
    """Nothing of it leaves any more, except what a gateway is taking at this moment."""
    async with request.app.state.deps.database.transaction() as unit:
        changed = await store.pause(unit.tx, what.as_scope(), by=principal.ref, now=unit.now)
        return await _after(unit.tx, what, principal, did="sending.paused", changed=changed)


@router.post("/resume")
async def resume(request: Request, principal: Annotated[Principal, Depends(allow(PAUSE_SENDING))], what: What) -> Sending:
    """What waited leaves, once, in lawful hours; the rules are asked again first."""
    async with request.app.state.deps.database.transaction() as unit:
        changed = await store.resume(unit.tx, what.as_scope())
        return await _after(unit.tx, what, principal, did="sending.resumed", changed=changed)


async def _after(tx: AsyncConnection, what: What, principal: Principal, *, did: str, changed: bool) -> Sending:
    if changed:
        await audit(tx, principal, did, subject=f"{what.scope} {what.value}".strip())
    return Sending(paused=[PauseInForce.model_validate(dict(each)) for each in await store.pauses(tx)], changed=changed)
