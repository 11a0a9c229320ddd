"""`GET /v1/decisions`: why was this customer asked, or not?"""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel
from sqlalchemy import RowMapping
from sqlalchemy.ext.asyncio import AsyncConnection

from scoring.decide import store
from scoring.decide.policies import store as policies
from scoring.decide.story import Story, stories
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.problems import Problem

READ_DECISIONS = Permission("decisions.read", roles=frozenset({"supervisor", "admin"}), scopes=frozenset({"platform"}))

router = APIRouter()


class Decisions(BaseModel):
    """About one contact: its tNPS decision, and that of a recovery survey if there was a case."""

    decisions: list[Story]


class Asked(BaseModel):
    """Name the interaction, or the contact in the platform's own words."""

    interaction: UUID | None = None
    platform: str | None = None
    account: str = "-"
    ref: str | None = None


@router.get("/v1/decisions", response_model_exclude_none=True)
async def decisions(
    request: Request, principal: Annotated[Principal, Depends(allow(READ_DECISIONS))], asked: Annotated[Asked, Query()]
) -> Decisions:
    """Every revision with the rules named. What is not yours, or not there, is 404."""
    async with request.app.state.deps.database.transaction() as unit:
        told = [row for row in await _told(unit.tx, asked) if sees(principal, row)]
        rules = await policies.rules_of(unit.tx, {row["said"]["policy_version"] for row in told})
    if not told:
        raise Problem(404, "not_found", "No such contact, or it is not decided yet")
    return Decisions(decisions=stories([row["said"] for row in told], rules))


async def _told(tx: AsyncConnection, asked: Asked) -> Sequence[RowMapping]:
    if asked.interaction is not None:
        return await store.told_about_interaction(tx, asked.interaction)
    if asked.platform is None or asked.ref is None:
        missing = "platform" if asked.platform is None else "ref"
        raise Problem(422, "invalid", "Name an interaction, or platform, account and ref", errors=[{"path": missing, "reason": "missing"}])
    return await store.told_about_contact(tx, platform=asked.platform, account=asked.account, ref=asked.ref)


def sees(principal: Principal, row: RowMapping) -> bool:
    """A platform its own contacts, a supervisor those of the own teams, an admin all."""
    if principal.kind == "key":
        return principal.may_send_for(row["platform"], row["account"])
    return principal.has_team(row["team"]) or "admin" in principal.roles
