"""What people do with a case: claim, assign, give back, log a call, resolve, close, reopen, see the number.

Each takes the revision that was seen; `Changed` says who was faster. `teams` None is somebody who sees all teams.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from routing.cases import handle as keeping
from routing.cases import moves, store
from routing.cases.dial import voice_refs
from routing.cases.due import due_at
from routing.cases.handle import Change
from routing.cases.model import By, Case, Moved, Route
from routing.cases.queue import store as queue
from routing.cases.queue.store import Viewer
from routing.cases.terms import Terms
from routing.cases.work.attempt import attempt_of, refusal
from routing.cases.work.model import Call, Reachable
from routing.deps import Deps
from routing.errors import Changed, Claimed, NobodyHasIt, NoSuchCase, NotForCalls, NotInRota, NotYours
from routing.people import store as people
from shared.runtime.audit import audit
from shared.runtime.database import Unit
from shared.runtime.sealing import Sealer
from shared.schemas import Sealed
from shared.words import cleaned


@dataclass(frozen=True, slots=True)
class Seen:
    """Which case somebody means, at which revision they saw it, and who they are. `None` as revision: whatever it is now."""

    key: int | UUID
    revision: int | None
    by: By
    teams: frozenset[str] | None


async def claim(unit: Unit, deps: Deps, seen: Seen) -> Case:
    """Take a case; `Changed` or `Claimed` names who has it."""
    case, terms = await taken(unit, deps, seen)
    return await kept(unit, deps, case, moves.claim(case, seen.by, at=unit.now), terms=terms)


async def claim_next(unit: Unit, deps: Deps, viewer: Viewer, by: By) -> Case | None:
    """Claim the next due case; one that somebody else takes meanwhile is passed over. None when nobody waits."""
    for each in await queue.waiting(unit.tx, viewer):
        try:
            return await claim(unit, deps, Seen(each.id, each.revision, by, viewer.teams))
        except (Changed, Claimed):
            continue
    return None


async def assign(unit: Unit, deps: Deps, seen: Seen, owner: str) -> Case:
    """Give a case to a person of its team's rota."""
    case, terms = await taken(unit, deps, seen)
    team = terms.rota.team(case.team)
    person = team.person(owner) if team else None
    if person is None:
        raise NotInRota(case.team)
    return await kept(unit, deps, case, moves.assign(case, By("guide", person.ref, person.name), by=seen.by, at=unit.now), terms=terms)


async def release(unit: Unit, deps: Deps, seen: Seen, *, for_others: bool) -> Case:
    case, terms = await taken(unit, deps, seen)
    return await kept(unit, deps, case, moves.release(case, seen.by, at=unit.now, for_others=for_others), terms=terms)


async def log_call(unit: Unit, deps: Deps, seen: Seen, call: Call) -> Case:
    """A call that was made; telling the same one again changes nothing. Refused while somebody else has the case."""
    known = await queue.case(unit.tx, seen.key, teams=seen.teams)
    if known and await store.attempted(unit.tx, [(known.id, call.attempt_id)]):
        return known
    case, terms = await taken(unit, deps, seen)
    if case.owner not in (None, seen.by.ref) and case.is_workable:
        raise Claimed(case.owner_name or case.owner or "", at=case.owner_since)
    tried = attempt_of(case, call, by=seen.by, now=unit.now, note=sealed_note(call.note, deps.sealer))
    moved = moves.attempt(case, tried, terms.policy, at=unit.now)
    await store.save_attempts(unit.tx, [tried])
    if told := refusal(case, tried):
        await people.save_consents(unit.tx, [told.consent])
        unit.send(told, key=case.customer_id or case.id, correlation=case.id)
    unit.when_committed(deps.metrics.attempts.labels(keeping.outcome_label(tried.outcome)).inc)
    return await kept(unit, deps, case, moved, terms=terms, call=call)


async def resolve(unit: Unit, deps: Deps, seen: Seen, root_cause: str | None) -> Case:
    case, terms = await taken(unit, deps, seen)
    return await kept(unit, deps, case, moves.resolve(case, seen.by, terms.policy, at=unit.now, root_cause=root_cause), terms=terms)


async def close(unit: Unit, deps: Deps, seen: Seen) -> Case:
    case, terms = await taken(unit, deps, seen)
    return await kept(unit, deps, case, moves.close(case, seen.by, at=unit.now), terms=terms)


async def reopen(unit: Unit, deps: Deps, seen: Seen) -> Case:
    """Refused, naming it, while another case of the customer is open."""
    case, terms = await taken(unit, deps, seen)
    found = await store.open_of_customers(unit.tx, [case.customer_id]) if case.customer_id else {}
    other = next((each.number for each in found.values() if each.id != case.id), None)
    due = due_at(unit.now, case.level, team=case.team, terms=terms)
    moved = moves.reopen(case, seen.by, terms.policy, at=unit.now, due_at=due, other_open=other)
    return await kept(unit, deps, case, moved, terms=terms)


async def reveal(unit: Unit, deps: Deps, seen: Seen) -> Reachable:
    """Number and name, for whoever has claimed the case; written to the audit log. Refused where no call may be made."""
    case = await queue.case(unit.tx, seen.key, teams=seen.teams)
    if case is None:
        raise NoSuchCase
    if case.owner is None:
        raise NobodyHasIt
    if case.owner != seen.by.ref:
        raise NotYours(case.owner_name or case.owner)
    found = reachable(case, deps)
    await audit(unit.tx, seen.by, "case.number_shown", subject=case.id)
    return found


def reachable(case: Case, deps: Deps) -> Reachable:
    """Number and name, unsealed; refused where no call may be made. Whoever asks writes the audit log."""
    private = _private(case, deps)
    number = _number(case, private)
    if case.route is not Route.CALL or not case.is_workable or number is None:
        raise NotForCalls(case.route.value, case.consent_basis)
    return Reachable(number=number, name=private.get("given_name"))


def sealed_note(note: str | Sealed | None, sealer: Sealer) -> Sealed | None:
    """What somebody noted, sealed; nothing for an empty note."""
    if isinstance(note, Sealed):
        return note
    words = cleaned(note or "")
    return sealer.seal(words) if words else None


def number_ending(case: Case, deps: Deps) -> str | None:
    """The last two digits of the number to call, all that a page shows unasked; None where no call may be made."""
    number = _number(case, _private(case, deps)) if case.route is Route.CALL else None
    return number[-2:] if number else None


def _private(case: Case, deps: Deps) -> dict[str, Any]:
    sealed = case.customer.private if case.customer else None
    return dict(deps.sealer.unseal(sealed)) if sealed else {}


def _number(case: Case, private: dict[str, Any]) -> str | None:
    addresses = private.get("addresses") or {}
    refs = voice_refs(case.customer, dropped=case.dropped_refs, preferred=case.point_ref)
    return next((str(addresses[ref]) for ref in refs if ref in addresses), None)


async def taken(unit: Unit, deps: Deps, seen: Seen) -> tuple[Case, Terms]:
    """The case, locked after its customer, at the revision that was seen."""
    known = await queue.case(unit.tx, seen.key, teams=seen.teams)
    if known is None:
        raise NoSuchCase
    if known.customer_id:
        await people.lock(unit.tx, [known.customer_id])
    case = (await store.locked(unit.tx, [known.id]))[known.id]
    if seen.revision is not None and case.revision != seen.revision:
        raise await _changed(unit, case)
    return case, await keeping.terms(unit, deps)


async def _changed(unit: Unit, case: Case) -> Changed:
    step = await queue.last_step(unit.tx, case.id)
    by = step.by if step else By("system", "routing")
    return Changed(
        by=by.name or by.ref, by_ref=by.ref, at=case.changed_at, revision=case.revision, change=step.change if step else "changed"
    )


async def kept(unit: Unit, deps: Deps, case: Case, moved: Moved, *, terms: Terms, call: Call | None = None) -> Case:
    calls = {call.attempt_id: call.platform_ref} if call and call.platform_ref else {}
    (after,) = await keeping.keep(unit, deps, [Change(case, moved, calls)], policy=terms.policy)
    return after
