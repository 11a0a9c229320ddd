"""`/decisions` and `/decisions/{interaction}`: why was this customer asked, or not, as a page."""

from collections.abc import Sequence
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from sqlalchemy import RowMapping
from starlette.responses import RedirectResponse, Response

from scoring.decide import store
from scoring.decide.api import READ_DECISIONS, sees
from scoring.decide.explain import because, clock, headline, knew, lines
from scoring.decide.policies import store as policies
from scoring.decide.policy import Policy
from scoring.decide.story import Story, stories
from scoring.people import store as people
from shared.runtime.access import Principal, allow
from shared.runtime.problems import Problem
from shared.runtime.web import page

router = APIRouter(prefix="/decisions", include_in_schema=False)

Reader = Annotated[Principal, Depends(allow(READ_DECISIONS))]


@router.get("")
async def find(request: Request, principal: Reader, q: Annotated[str | None, Query(max_length=200)] = None) -> Response:
    """By the interaction's id, or by the platform's own reference."""
    found = await _find(request, principal, q.strip()) if q and q.strip() else None
    if found:
        return RedirectResponse(f"/decisions/{found}", 303)
    return page(request.app.state.templates, "decisions.html", status=404 if q else 200, q=q or "", name=principal.name)


@router.get("/{interaction}")
async def decision(request: Request, principal: Reader, interaction: UUID) -> Response:
    deps = request.app.state.deps
    async with deps.database.transaction() as unit:
        told = [row for row in await store.told_about_interaction(unit.tx, interaction) if sees(principal, row)]
        versions = {row["said"]["policy_version"] for row in told}
        by_version = {version: await policies.policy(unit.tx, version) for version in versions}
        rules = {version: each.terms.rules for version, each in by_version.items()}
        who = await people.customer(unit.tx, UUID(told[0]["said"]["customer_id"])) if told and told[0]["said"]["customer_id"] else None
    if not told:
        raise Problem(404, "not_found", "No such contact, or it is not decided yet")
    zone = ZoneInfo(deps.settings.company_zone)
    named = f"Customer {who.number}" if who else "This customer"
    shown = [_shown(story, by_version, who=named, zone=zone) for story in _tnps_first(stories([row["said"] for row in told], rules))]
    return page(request.app.state.templates, "decision.html", shown=shown, interaction=interaction, name=principal.name)


async def _find(request: Request, principal: Principal, q: str) -> UUID | None:
    try:
        return UUID(q)
    except ValueError:
        async with request.app.state.deps.database.transaction() as unit:
            found: Sequence[RowMapping] = await store.interactions_with_ref(unit.tx, q)
    return next((row["interaction_id"] for row in found if sees(principal, row)), None)


def _tnps_first(found: list[Story]) -> list[Story]:
    return sorted(found, key=lambda story: story.kind != "tnps")


def _shown(story: Story, by_version: dict[int, Policy], *, who: str, zone: ZoneInfo) -> dict[str, object]:
    """What the template needs of one decision."""
    newest = story.revisions[0]
    terms = by_version[newest.policy_version].terms
    return {
        "story": story,
        "newest": newest,
        "title": headline(newest, who=who, zone=zone),
        "because": because(newest, terms),
        "lines": lines(newest, terms),
        "knew": knew(newest),
        "decided_at": clock(newest.decided_at, zone),
        "seed": terms.sampling.seed,
        "history": [(each, clock(each.decided_at, zone)) for each in story.revisions],
        "sending": next((each for each in story.revisions if each.phase == "send"), None),
    }
