"""What all pages of the console share: who looks, the frame around a page, and the way in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from routing.cases import handle as keeping
from routing.cases.api import LEAD, READ, WORK, by_of, teams_of
from routing.cases.terms import Terms
from routing.console.look import Look, zone_of
from routing.deps import Deps
from shared.runtime import http
from shared.runtime.access import Principal, allow
from shared.runtime.database import Unit

Reader = Annotated[Principal, Depends(allow(READ))]
Worker = Annotated[Principal, Depends(allow(WORK))]

QUEUE = "/console"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page is made with."""

    request: Request
    deps: Deps

    def show(self, template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
        return http.page(self.request.app.state.templates, f"console/{template}", status=status, **values)


def desk(request: Request) -> Desk:
    return Desk(request, request.app.state.deps)


AtDesk = Annotated[Desk, Depends(desk)]


@router.get("/")
async def start(_: Reader) -> Response:
    return RedirectResponse(QUEUE, 303)


async def looking(unit: Unit, deps: Deps, person: Principal) -> tuple[Look, Terms]:
    """The person with the rota and policy in force in this transaction."""
    terms = await keeping.terms(unit, deps)
    by, teams = by_of(person), teams_of(person, READ)
    look = Look(
        by=by,
        now=unit.now,
        zone=zone_of(terms.rota, by.ref, teams=teams, company=deps.settings.company_zone),
        teams=teams,
        rota=terms.rota,
        works=person.may(WORK),
        leads=person.may(LEAD),
        customer_zones=deps.zones,
        work_teams=teams_of(person, WORK),
    )
    return look, terms


def frame(look: Look) -> dict[str, Any]:
    """What the shell of every page takes: only pages that exist are linked."""
    return {
        "links": [(QUEUE, "Queue")],
        "me": ("/sign-in", look.by.name or look.by.ref),
        "home": QUEUE,
        "now": look.now,
        "works": look.works,
        "leads": look.leads,
    }
