"""What dialers do with a case: take the next due one, take this one, tell what came of the call.

A claim is a lease: who told no outcome when it is over has the case no more. Whatever is shown to a dialer is in the audit log.
"""

from datetime import timedelta
from uuid import UUID

from routing.cases import moves
from routing.cases.answer import store as answers
from routing.cases.model import By, Case
from routing.cases.queue.handle import opened
from routing.cases.work import handle as work
from routing.cases.work.handle import Seen
from routing.cases.work.receive import take_outcomes
from routing.deps import Deps
from routing.dialers import store
from routing.dialers.model import Held, Said, Wants
from routing.dialers.ready import check_ready
from routing.errors import Changed, Refused
from shared.runtime.audit import audit
from shared.runtime.database import Unit
from shared.schemas import CallbackAttempted


async def claim_next(unit: Unit, deps: Deps, dialer: By, wants: Wants) -> Held | None:
    """None when no call is due. A case that somebody else moves meanwhile, or that has no number after all, is passed over."""
    passed: list[UUID] = []
    while found := await store.next_due(unit.tx, wants, now=unit.now, passed=passed):
        try:
            return await claim(unit, deps, dialer, Seen(found.id, found.revision, dialer, teams=None))
        except (Changed, Refused):
            passed.append(found.id)
    return None


async def claim(unit: Unit, deps: Deps, dialer: By, seen: Seen) -> Held:
    """Refused before anything is changed or shown. Claiming again what one has answers the same; the lease does not grow."""
    case, terms = await work.taken(unit, deps, seen)
    check_ready(case, dialer, now=unit.now)
    whom = work.reachable(case, deps)
    until = case.lease_until or unit.now + timedelta(seconds=deps.settings.dialer_lease_s)
    kept = await work.kept(unit, deps, case, moves.claim(case, dialer, at=unit.now, lease_until=until), terms=terms)
    await audit(unit.tx, dialer, "case.shown_to_dialer", subject=case.id)
    return Held(kept, whom, await _said(unit, deps, kept), until)


async def _said(unit: Unit, deps: Deps, case: Case) -> tuple[Said, ...]:
    told = await answers.of_case(unit.tx, case.id)
    return tuple(Said(each, opened(each.feedback.comment if each.feedback else None, deps.sealer)) for each in told)


async def tell(unit: Unit, deps: Deps, outcome: CallbackAttempted) -> Case:
    """A call was made: a fact, whoever has the case. Told twice it counts once. The case after it; refused where it makes no sense."""
    (end,) = await take_outcomes(unit, deps, [outcome])
    if isinstance(end, Case):
        return end
    raise end
