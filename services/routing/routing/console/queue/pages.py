"""The queue: whom do I call next, and by when? Its fragment is the same page without its frame, for the script to swap in."""

from datetime import timedelta
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query
from starlette.responses import RedirectResponse, Response

from routing.alerts import handle as alerting
from routing.alerts import store as alerts
from routing.alerts.api import ACKNOWLEDGE, SEE
from routing.cases.api import by_of, teams_of
from routing.cases.model import Case
from routing.cases.moves import TABLE, Move
from routing.cases.queue import store
from routing.cases.queue.api import SOON
from routing.cases.queue.model import View
from routing.cases.queue.store import Viewer
from routing.console import clock
from routing.console import store as own
from routing.console.look import Look
from routing.console.pages import QUEUE, AtDesk, Reader, frame, looking
from routing.console.queue import board
from routing.console.queue.banner import banner, banners
from routing.console.queue.row import Row, row
from routing.console.queue.tile import tile
from routing.console.words import STATES
from routing.deps import Deps
from shared.runtime.access import Principal, allow
from shared.runtime.database import Unit
from shared.runtime.http import not_found

ROWS = 200
"""More are counted, not listed."""

TILE_DAYS = 30
SEEN_MOST = 400

router = APIRouter(prefix=QUEUE, include_in_schema=False)
Acknowledger = Annotated[Principal, Depends(allow(ACKNOWLEDGE))]


@router.get("")
async def queue(
    at: AtDesk,
    person: Reader,
    *,
    view: View = View.TO_CALL,
    done: int | None = None,
    q: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """`done` is the case just finished; `q` finds a case or a customer by number and opens it."""
    async with at.deps.database.transaction() as unit:
        look, _ = await looking(unit, at.deps, person)
        found = await _found(unit, q, teams=look.teams)
        if found:
            return RedirectResponse(f"{QUEUE}/cases/{found.number}", 303)
        values = await page(unit, at.deps, look, view=view)
        values |= {"asked": q, "finished": await finished(unit, look, done)}
    return at.show("queue.html", values, status=404 if q else 200)


@router.get("/fragment")
async def fragment(
    at: AtDesk,
    person: Reader,
    *,
    view: View = View.TO_CALL,
    alert: UUID | None = None,
    seen: Annotated[str, Query(max_length=8_000, pattern=r"^[\d,]*$")] = "",
) -> Response:
    """The page's parts as they are now. `seen` are the numbers of the rows that stand on the page: they come even if they left the view."""
    known = frozenset(int(number) for number in seen.split(",")[:SEEN_MOST] if number and len(number) < 16)
    async with at.deps.database.transaction() as unit:
        look, _ = await looking(unit, at.deps, person)
        values = await (of_alert(unit, at.deps, look, alert) if alert else page(unit, at.deps, look, view=view))
        listed = {each.number for each in values["rows"]}
        gone = await own.by_numbers(unit.tx, known - listed, teams=look.teams) if known - listed else []
    values |= {"gone": [row(case, look) for case in gone], "pill": board.pill(values["rows"], known) if known else None}
    return at.show("_queue.html", values)


@router.get("/alerts/{alert_id}")
async def alert(at: AtDesk, person: Reader, alert_id: UUID) -> Response:
    """The cases behind one alert."""
    async with at.deps.database.transaction() as unit:
        look, _ = await looking(unit, at.deps, person)
        values = await of_alert(unit, at.deps, look, alert_id)
    return at.show("queue.html", values | {"asked": "", "finished": None})


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(at: AtDesk, person: Acknowledger, alert_id: UUID, view: Annotated[View, Form()] = View.TO_CALL) -> Response:
    async with at.deps.database.transaction() as unit:
        seen = await alerting.acknowledge(unit, alert_id, by_of(person), teams=teams_of(person, SEE))
    if seen is None:
        raise not_found()
    return RedirectResponse(f"{QUEUE}?view={view.value}", 303)


async def page(unit: Unit, deps: Deps, look: Look, *, view: View) -> dict[str, Any]:
    """One view of the queue with everything around it."""
    asked = viewer(look, deps)
    critical = await store.critical(unit.tx, asked, view=view) if view is not View.DONE else []
    others = await store.queue(unit.tx, asked, view=view, limit=ROWS)
    rows = _rows([*critical, *(each for each in others if each not in critical)], look)
    groups = board.done(rows) if view is View.DONE else board.groups(rows, look)
    opens = await _opens(unit, asked) if view is View.TO_CALL and not rows else None
    around = await _around(unit, deps, look, asked)
    over = around["counts"][view] - len(rows)
    return around | {
        "view": view,
        "alert": None,
        "rows": rows,
        "groups": groups,
        "empty": board.empty(view, look, opens),
        "over": max(0, over),
    }


async def of_alert(unit: Unit, deps: Deps, look: Look, alert_id: UUID) -> dict[str, Any]:
    standing = await alerts.standing(unit.tx, alert_id, teams=look.teams)
    if standing is None:
        raise not_found()
    ids = await alerts.cases_of(unit.tx, alert_id)
    cases = await store.cases(unit.tx, ids, teams=look.teams)
    rows = _rows(cases[:ROWS], look)
    around = await _around(unit, deps, look, viewer(look, deps))
    shown_alert = banner(standing, look)
    return around | {
        "view": None,
        "alert": shown_alert,
        "rows": rows,
        "groups": board.groups(rows, look),
        "empty": "None of these cases is yours to see any more.",
        "over": max(0, len(cases) - ROWS),
    }


async def _around(unit: Unit, deps: Deps, look: Look, asked: Viewer) -> dict[str, Any]:
    """Counts, tiles and alerts: the same around every view."""
    urgency = await store.urgency(unit.tx, asked)
    teams = sorted(look.teams if look.teams is not None else look.rota.codes | await own.teams_with_cases(unit.tx))
    midnight = clock.local(look.now, deps.settings.company_zone).replace(hour=0, minute=0, second=0, microsecond=0)
    tallies = await store.tallies(unit.tx, teams, since=midnight - timedelta(days=TILE_DAYS - 1), now=look.now)
    quiet = look.now - timedelta(seconds=deps.settings.alert_quiet_s)
    alarms = await alerts.unanswered(unit.tx, teams=look.teams, quiet_since=quiet)
    return frame(look) | {
        "counts": await store.counts(unit.tx, asked),
        "views": board.VIEWS,
        "teams": board.teams_said(look),
        "urgent": board.urgent(urgency),
        "soon": board.soon(urgency),
        "tiles": [tile(each, look) for each in tallies],
        "alarms": banners(alarms, look),
        "pill": None,
        "gone": [],
        "lost": None,
    }


def viewer(look: Look, deps: Deps, *, working: bool = False) -> Viewer:
    """Over the teams somebody sees, or calls for. The day is the company's, as everywhere in the numbers."""
    day = clock.local(look.now, deps.settings.company_zone).replace(hour=0, minute=0, second=0, microsecond=0)
    return Viewer(teams=look.work_teams if working else look.teams, me=look.by.ref, now=look.now, soon=look.now + SOON, day=day)


async def finished(unit: Unit, look: Look, number: int | None) -> dict[str, Any] | None:
    """The line about the case that was just saved, with what it takes to open it again."""
    case = await store.case(unit.tx, number, teams=look.teams) if number is not None else None
    if case is None:
        return None
    return {
        "number": case.number,
        "revision": case.revision,
        "words": STATES[case.state.value].lower(),
        "reopens": case.state in TABLE[Move.REOPEN],
    }


def _rows(cases: list[Case], look: Look) -> list[Row]:
    return [row(case, look) for case in cases]


async def _opens(unit: Unit, asked: Viewer) -> Any:
    """When the next case that waits for hours may be called."""
    waiting = await store.queue(unit.tx, asked, view=View.WAITING)
    coming = [window.from_ for case in waiting if (window := clock.next_window(case.windows, asked.now))]
    return min(coming, default=None)


async def _found(unit: Unit, asked: str, *, teams: frozenset[str] | None) -> Case | None:
    digits = "".join(letter for letter in asked if letter in "0123456789")
    return await own.find(unit.tx, int(digits), teams=teams) if 0 < len(digits) < 16 else None
