"""One case: what happened to this person, and what do I do now?"""

from typing import Any
from uuid import uuid4

from fastapi import APIRouter
from starlette.responses import Response

from routing.console.case.handle import read, values
from routing.console.case.outcome import Filled
from routing.console.pages import QUEUE, AtDesk, Reader, frame, looking
from routing.console.queue.pages import finished
from routing.deps import Deps
from shared.runtime.access import Principal
from shared.runtime.database import Unit

router = APIRouter(prefix=f"{QUEUE}/cases", include_in_schema=False)


@router.get("/{number}")
async def case(at: AtDesk, person: Reader, number: int, *, done: int | None = None) -> Response:
    """`done` is the case that was finished just before."""
    async with at.deps.database.transaction() as unit:
        told = await sheet(unit, at.deps, person, number=number, filled=blank())
        look, _ = await looking(unit, at.deps, person)
        told["finished"] = await finished(unit, look, done)
    return at.show("case.html", told)


@router.get("/{number}/fragment")
async def fragment(at: AtDesk, person: Reader, number: int) -> Response:
    """What may change while somebody looks: clock, life and story. The form is never swapped."""
    async with at.deps.database.transaction() as unit:
        told = await sheet(unit, at.deps, person, number=number, filled=blank())
    return at.show("_case_live.html", told)


def blank() -> Filled:
    return Filled(attempt_id=str(uuid4()))


async def sheet(unit: Unit, deps: Deps, person: Principal, *, number: int, filled: Filled, **more: Any) -> dict[str, Any]:
    look, terms = await looking(unit, deps, person)
    told = await read(unit, deps, look, key=number)
    return frame(look) | await values(unit, deps, look, terms, told=told, filled=filled, **more)
