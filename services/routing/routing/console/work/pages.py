"""Working from the console: forms that carry the revision somebody saw. Who was slower gets the page again and keeps what they typed."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.responses import RedirectResponse, Response

from routing.cases.api import LEAD, MOVE, WORK, by_of, teams_of
from routing.cases.model import Case
from routing.cases.queue import store as queue
from routing.cases.queue.model import View
from routing.cases.work import handle
from routing.cases.work.handle import Seen
from routing.console import clock
from routing.console.case.outcome import Filled, call
from routing.console.case.pages import blank, sheet
from routing.console.case.sheet import calling
from routing.console.look import Look
from routing.console.pages import QUEUE, AtDesk, Desk, Worker, looking
from routing.console.queue.pages import page, viewer
from routing.console.words import CAUSES
from routing.console.work.conflict import conflict
from routing.deps import Deps
from routing.errors import Changed, OutsideHours, Refused
from shared.runtime.access import Permission, Principal, allow
from shared.runtime.database import Unit

router = APIRouter(prefix=QUEUE, include_in_schema=False)
Mover = Annotated[Principal, Depends(allow(MOVE))]
Leader = Annotated[Principal, Depends(allow(LEAD))]
Revision = Annotated[int, Form(ge=1)]
Text = Annotated[str, Form(max_length=20_000)]
Short = Annotated[str, Form(max_length=200)]
Move = Callable[[Unit], Awaitable[Case]]


async def filled(*, attempt_id: Short = "", outcome: Short = "", root_cause: Short = "", note: Text = "", next_at: Short = "") -> Filled:
    """The form about a call, as it was sent."""
    return Filled(attempt_id or blank().attempt_id, outcome=outcome, root_cause=root_cause, note=note, next_at=next_at)


Sent = Annotated[Filled, Depends(filled)]


@router.post("/next")
async def claim_next(at: AtDesk, person: Worker) -> Response:
    """Claim the next due case and open it."""
    async with at.deps.database.transaction() as unit:
        look, _ = await looking(unit, at.deps, person)
        case = await handle.claim_next(unit, at.deps, viewer(look, at.deps, working=True), look.by)
    return RedirectResponse(f"{QUEUE}/cases/{case.number}" if case else QUEUE, 303)


@router.post("/cases/{number}/claim")
async def claim(
    at: AtDesk, person: Worker, number: int, *, revision: Revision, back: Short = "", view: Annotated[View, Form()] = View.TO_CALL
) -> Response:
    """From the queue it stays in the queue; from the case it shows the case."""
    try:
        async with at.deps.database.transaction() as unit:
            await handle.claim(unit, at.deps, _seen(person, WORK, number=number, revision=revision))
    except (Changed, Refused) as error:
        if back == "queue":
            return await _queue_again(at, person, number=number, view=view, error=error)
        return await _case_again(at, person, blank(), number=number, error=error)
    return RedirectResponse(f"{QUEUE}?view={view.value}#case-{number}" if back == "queue" else f"{QUEUE}/cases/{number}", 303)


@router.post("/cases/{number}/attempts")
async def attempts(at: AtDesk, person: Worker, number: int, sent: Sent, *, revision: Revision) -> Response:
    """Log a call and go on with the next due case."""
    try:
        async with at.deps.database.transaction() as unit:
            look, _ = await looking(unit, at.deps, person)
            made = call(sent, zone=look.zone, now=look.now)
            if isinstance(made, Filled):
                return at.show("case.html", await sheet(unit, at.deps, person, number=number, filled=made), status=422)
            await handle.log_call(unit, at.deps, _seen(person, WORK, number=number, revision=revision), made)
            return RedirectResponse(await _onward(unit, at.deps, look, done=number), 303)
    except (Changed, Refused) as error:
        return await _case_again(at, person, sent, number=number, error=error)


@router.post("/cases/{number}/number")
async def show_number(at: AtDesk, person: Worker, number: int, sent: Sent) -> Response:
    """The number, on the page and nowhere else; the look is written to the audit log. What was typed in the form comes back with it."""
    try:
        async with at.deps.database.transaction() as unit:
            look, _ = await looking(unit, at.deps, person)
            case = await queue.case(unit.tx, number, teams=look.teams)
            if case and calling(case, look, ending=None).kind == "shut":
                raise OutsideHours
            reachable = await handle.reveal(unit, at.deps, _seen(person, WORK, number=number, revision=None))
            return at.show("case.html", await sheet(unit, at.deps, person, number=number, filled=sent, reachable=reachable))
    except Refused as error:
        return await _case_again(at, person, sent, number=number, error=error)


@router.post("/cases/{number}/release")
async def release(at: AtDesk, person: Mover, number: int, revision: Revision) -> Response:
    seen = _seen(person, MOVE, number=number, revision=revision)
    return await _moved(at, person, number, move=lambda unit: handle.release(unit, at.deps, seen, for_others=person.may(LEAD)))


@router.post("/cases/{number}/assign")
async def assign(at: AtDesk, person: Leader, number: int, *, revision: Revision, owner: Short) -> Response:
    seen = _seen(person, LEAD, number=number, revision=revision)
    return await _moved(at, person, number, move=lambda unit: handle.assign(unit, at.deps, seen, owner))


@router.post("/cases/{number}/close")
async def close(at: AtDesk, person: Leader, number: int, revision: Revision) -> Response:
    seen = _seen(person, LEAD, number=number, revision=revision)
    return await _moved(at, person, number, move=lambda unit: handle.close(unit, at.deps, seen))


@router.post("/cases/{number}/reopen")
async def reopen(at: AtDesk, person: Mover, number: int, revision: Revision) -> Response:
    seen = _seen(person, MOVE, number=number, revision=revision)
    return await _moved(at, person, number, move=lambda unit: handle.reopen(unit, at.deps, seen))


@router.post("/cases/{number}/resolve")
async def resolve(at: AtDesk, person: Mover, number: int, sent: Sent, *, revision: Revision) -> Response:
    """A reviewed case, or one whose customer was reached before; then the next due case."""
    try:
        async with at.deps.database.transaction() as unit:
            look, _ = await looking(unit, at.deps, person)
            await handle.resolve(
                unit, at.deps, _seen(person, MOVE, number=number, revision=revision), sent.root_cause if sent.root_cause in CAUSES else None
            )
            return RedirectResponse(await _onward(unit, at.deps, look, done=number), 303)
    except (Changed, Refused) as error:
        return await _case_again(at, person, sent, number=number, error=error)


async def _moved(at: Desk, person: Principal, number: int, *, move: Move) -> Response:
    """Make the move and show the case; who was slower sees what it is now."""
    try:
        async with at.deps.database.transaction() as unit:
            await move(unit)
    except (Changed, Refused) as error:
        return await _case_again(at, person, blank(), number=number, error=error)
    return RedirectResponse(f"{QUEUE}/cases/{number}", 303)


async def _onward(unit: Unit, deps: Deps, look: Look, *, done: int) -> str:
    """The next due case: one's own first, else one that nobody has; the queue where there is none."""
    asked = viewer(look, deps, working=True)
    mine = [case for case in await queue.queue(unit.tx, asked, view=View.MINE, limit=20) if _callable(case, look) and case.number != done]
    following = mine or await queue.waiting(unit.tx, asked, limit=1)
    return f"{QUEUE}/cases/{following[0].number}?done={done}" if following else f"{QUEUE}?done={done}"


def _callable(case: Case, look: Look) -> bool:
    return clock.open_window(case.windows, look.now) is not None and (case.next_at is None or case.next_at <= look.now)


async def _case_again(at: Desk, person: Principal, sent: Filled, *, number: int, error: Changed | Refused) -> Response:
    async with at.deps.database.transaction() as unit:
        look, _ = await looking(unit, at.deps, person)
        told = await sheet(unit, at.deps, person, number=number, filled=sent)
    return at.show("case.html", told | {"conflict": conflict(error, look, kept=bool(sent.note))}, status=409)


async def _queue_again(at: Desk, person: Principal, *, number: int, view: View, error: Changed | Refused) -> Response:
    async with at.deps.database.transaction() as unit:
        look, _ = await looking(unit, at.deps, person)
        told = await page(unit, at.deps, look, view=view)
    return at.show("queue.html", told | {"asked": "", "finished": None, "lost": (number, conflict(error, look, kept=False))}, status=409)


def _seen(person: Principal, permission: Permission, *, number: int, revision: int | None) -> Seen:
    return Seen(key=number, revision=revision, by=by_of(person), teams=teams_of(person, permission))
