"""What falls due for cases. Each timer moves the cases whose column has come, those another replica has left out."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from routing.cases import endings, moves, store
from routing.cases import handle as keeping
from routing.cases.handle import Change
from routing.cases.model import SYSTEM, Case, Moved, State
from routing.deps import Deps
from shared.runtime.database import Unit
from shared.runtime.patience import Patience
from shared.runtime.timers import Timer


async def _run(unit: Unit, deps: Deps, *, column: str, move: Callable[[Case], Moved]) -> int:
    due = await store.fallen_due(unit.tx, column, now=unit.now, limit=deps.settings.timer_batch)
    if not due:
        return 0
    terms = await keeping.terms(unit, deps)
    await keeping.keep(unit, deps, [Change(case, move(case)) for case in sorted(due, key=lambda case: case.id)], policy=terms.policy)
    return len(due)


async def mark_overdue(unit: Unit, deps: Deps) -> int:
    """Nobody reached the customer in time: said once, by a revision `escalated`."""
    return await _run(unit, deps, column="overdue_on", move=lambda case: moves.mark_overdue(case, at=unit.now))


async def close_resolved(unit: Unit, deps: Deps) -> int:
    """Resolved, and nothing new since: closed."""
    return await _run(unit, deps, column="closes_on", move=lambda case: moves.close(case, SYSTEM, at=unit.now))


async def give_up(unit: Unit, deps: Deps) -> int:
    """Tried often enough over long enough: unreachable."""
    return await _run(unit, deps, column="unreachable_on", move=lambda case: endings.give_up(case, at=unit.now))


async def expire(unit: Unit, deps: Deps) -> int:
    """Not done after two weeks: expired."""
    return await _run(unit, deps, column="expires_on", move=lambda case: endings.expire(case, at=unit.now))


async def take_back(unit: Unit, deps: Deps) -> int:
    """A dialer that told nothing until its lease was over does not keep the case."""
    return await _run(unit, deps, column="lease_until", move=lambda case: moves.lapse(case, at=unit.now))


CASE_TIMERS = {
    "overdue": Timer(mark_overdue),
    "closing": Timer(close_resolved),
    "giving_up": Timer(give_up),
    "expiry": Timer(expire),
    "leases": Timer(take_back),
}


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts cases by state for the gauges, every `gauges_s`. Where the database does not allow it, the next round will do."""

    deps: Deps

    async def run(self, stop: asyncio.Event) -> None:
        patience = Patience(stop)
        while not stop.is_set():
            await patience.attempt(self.count)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self.deps.settings.gauges_s)

    async def count(self) -> None:
        async with self.deps.database.transaction() as unit:
            found, late = await store.by_state(unit.tx), await store.overdue(unit.tx)
        for state in State:
            self.deps.metrics.cases.labels(state.value).set(found.get(state.value, 0))
        self.deps.metrics.overdue.set(late)
